#include "tome/generate/language_model.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/models/files_key.h"
#include "tome/models/registry.h"
#include "tome/models/template_of.h"
#include "tome/models/tokenizer_of.h"

namespace tome {
namespace {

std::unique_ptr<ChatTemplate> MakeTemplate(const Checkpoint& checkpoint,
                                           const Tokenizer& tokenizer) {
  const std::string source = ChatTemplateSource(checkpoint);
  if (source.empty()) return nullptr;
  const auto piece = [&](std::optional<TokenId> id) {
    return id ? std::string(tokenizer.Piece(*id)) : std::string();
  };
  try {
    return std::make_unique<ChatTemplate>(source, piece(tokenizer.bos()), piece(tokenizer.eos()));
  } catch (const Error& error) {
    throw error.In(fmt::format("{}: chat template", checkpoint.path().string()));
  }
}

// `chat_template` is null where the model has none.
std::vector<std::string> ChatNotesOn(const std::string& name, const ChatTemplate* chat_template) {
  std::vector<std::string> notes;
  if (chat_template == nullptr) {
    notes.push_back(
        fmt::format("{} has no chat template: it was made to continue texts, not for conversation, "
                    "and is asked in plain text; take the model's \"instruct\" or \"chat\" version "
                    "for questions",
                    name));
  } else if (chat_template->asks_for_date()) {
    notes.push_back(fmt::format(
        "{} is told that today's date is {}, though its chat template asks for it: with a date, "
        "what was read today would have to be read again tomorrow; say it in the question where it "
        "matters",
        name, kNoDate));
  }
  return notes;
}

}  // namespace

std::unique_ptr<LanguageModel> LanguageModel::Open(const std::filesystem::path& path, int threads) {
  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::Open(path));
  // A model that does not run is refused first, before anything odd in its vocabulary matters.
  CheckIsModel(*checkpoint);
  std::unique_ptr<LanguageModel> language_model(new LanguageModel());
  language_model->path_ = path;
  language_model->name_ = LastNameOf(path);
  language_model->threads_ = std::make_unique<ThreadPool>(threads > 0 ? threads : ProcessorCount());
  language_model->tokenizer_ = TokenizerOf(*checkpoint);
  language_model->chat_template_ = MakeTemplate(*checkpoint, *language_model->tokenizer_);
  language_model->config_json_ = checkpoint->SideFile("config.json");
  language_model->notes_ = TokenizerNotes(*checkpoint);
  language_model->chat_notes_ =
      ChatNotesOn(language_model->name_, language_model->chat_template_.get());
  language_model->checkpoint_ = checkpoint;
  language_model->model_ = LoadModel(std::move(checkpoint), language_model->compute());
  return language_model;
}

SnapshotKey LanguageModel::FilesKey() const {
  std::call_once(hashed_, [&] { hash_ = FilesKeyOf(*checkpoint_, config_json_, *threads_); });
  return hash_;
}

SnapshotKey LanguageModel::MemoryRoot(const Memory& memory) const {
  const std::string types = memory.has_kv() ? fmt::format("{} {}", KindOf(memory.kv().types().main),
                                                          NameOf(memory.kv().types().local))
                                            : "none";
  const PositionScheme& scheme = memory.positions();
  return KeyOf(fmt::format("model {} kernels {} kv {} length {}{}{}", FilesKey().ToString(),
                           KernelsKey(kernels_), types,
                           model_->facts().rope_by_length ? scheme.rope_tokens : 0,
                           scheme.is_plain() ? "" : " positions ", scheme.ToString()));
}

std::vector<TokenId> LanguageModel::EncodeChat(std::span<const ChatMessage> messages,
                                               const ChatOptions& options) const {
  if (chat_template_ == nullptr) {
    std::string text;
    for (const ChatMessage& message : messages) text += message.content + "\n\n";
    return EncodeText(text, Specials::kLiteral);
  }
  nlohmann::ordered_json turns = nlohmann::ordered_json::array();
  for (const ChatMessage& message : messages) {
    turns.push_back({{"role", message.role}, {"content", message.content}});
  }
  // Models that think aloud are asked not to: evidence takes the place of thinking.
  const nlohmann::ordered_json variables = {{"enable_thinking", false}};
  const std::vector<PromptPiece> rendered = chat_template_->Render(
      turns, {.variables = &variables, .now = options.date, .no_date = kNoDate, .limits = {}});
  std::vector<TextPiece> pieces;
  pieces.reserve(rendered.size());
  for (const PromptPiece& piece : rendered) {
    pieces.push_back(
        {.text = piece.text,
         .specials = piece.origin == Origin::kTemplate ? Specials::kParse : Specials::kLiteral});
  }
  // Templates write BOS themselves; the tokenizer does not double it, and where a template leaves
  // it out the vocabulary decides.
  return tokenizer_->Encode(pieces, {});
}

std::vector<TokenId> LanguageModel::EncodeText(std::string_view text, Specials specials) const {
  return tokenizer_->Encode(text, specials, {});
}

}  // namespace tome
