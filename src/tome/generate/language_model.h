// LanguageModel is a model on disk, ready to talk: weights, tokenizer and chat template.
#pragma once

#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/thread_pool.h"
#include "tome/formats/checkpoint.h"
#include "tome/kernels/kernel_set.h"
#include "tome/memory/snapshot.h"
#include "tome/models/model.h"
#include "tome/text/chat_template.h"
#include "tome/text/tokenizer.h"

namespace tome {

// One turn of a conversation. The content is data: whatever it holds, it ends no turn and calls no
// tool.
struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// Says how a conversation is written down.
struct ChatOptions {
  // The date that a template is told if it writes today's date. Without a value, it is told that no
  // date is known (kNoDate): the date stands before all else, so another one tomorrow would lose
  // what was read today, and a date that was true when a document was read is false later. A
  // question that is about today can say the date itself.
  std::optional<std::tm> date;
};
inline constexpr std::string_view kNoDate = "not known";  // "Today Date: not known"

// LanguageModel is immutable but for its pool of threads, which serves one caller at a time.
class LanguageModel {
 public:
  // Opens a checkpoint (Checkpoint::Open) with its tokenizer and template. With 0 `threads`, all
  // processors are used. Errors name the file.
  static std::unique_ptr<LanguageModel> Open(const std::filesystem::path& path, int threads);

  const std::filesystem::path& path() const { return path_; }  // as it was opened
  const std::string& name() const { return name_; }            // the file's or folder's name
  const Model& model() const { return *model_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  Compute compute() const { return {kernels_, *threads_}; }

  // Return what a user should know of the model before trusting it, a sentence each; most models
  // have no notes. `notes` hold for every use, `chat_notes` in conversation besides.
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& chat_notes() const { return chat_notes_; }

  // Returns a hash of the model's files as they were opened, whatever has replaced them since. They
  // are read whole when this or MemoryRoot is first called.
  SnapshotKey FilesKey() const;

  // Returns a hash of all that the bits of a memory of this model depend on besides the tokens: the
  // model's files, kernel set, element types, and where keys and queries stand.
  SnapshotKey MemoryRoot(const Memory& memory) const;

  // Returns the tokens of a conversation, up to where the assistant speaks next. The text of
  // contents is never read as special tokens. Without a template (a base model) the contents follow
  // each other, separated by empty lines.
  std::vector<TokenId> EncodeChat(std::span<const ChatMessage> messages,
                                  const ChatOptions& options = {}) const;

  // Returns the tokens of a text alone, BOS and the like included where the vocabulary says so.
  // Special tokens in the text are read as such where `specials` says so.
  std::vector<TokenId> EncodeText(std::string_view text, Specials specials) const;

 private:
  LanguageModel() : kernels_(SelectKernelSet()) {}

  // The model's tensors lie in the checkpoint's maps. A file that is replaced by renaming stays
  // mapped.
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::string config_json_;  // the file of a safetensors model, as it was opened
  std::filesystem::path path_;
  std::string name_;
  const KernelSet& kernels_;
  std::unique_ptr<ThreadPool> threads_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ChatTemplate> chat_template_;
  std::vector<std::string> notes_;
  std::vector<std::string> chat_notes_;
  mutable std::once_flag hashed_;
  mutable SnapshotKey hash_;  // of the files
};

}  // namespace tome
