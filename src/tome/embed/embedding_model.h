// EmbeddingModel turns texts into unit vectors: an encoder on disk with its tokenizer and with what
// sentence-transformers' files say about pooling, prompts and lengths. Texts of like meaning have
// vectors of a large scalar product.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/base/thread_pool.h"
#include "tome/embed/sentence_files.h"
#include "tome/formats/checkpoint.h"
#include "tome/kernels/kernel_set.h"
#include "tome/memory/snapshot.h"
#include "tome/models/encoder.h"
#include "tome/tensor/tensor.h"
#include "tome/text/tokenizer.h"
#include "tome/text/tokenizer/normalizer.h"

namespace tome {

// TextRole says which side of a search a text is on. Many models are trained with different words
// before questions and before the passages that answer them.
enum class TextRole { kQuery, kPassage };

struct EmbeddingOptions {
  int threads = 0;  // 0: all processors
  // With 8 bits, vectors have a cosine of 0.999 and more to those of the weights as stored, at
  // twice the speed.
  EncoderWeights weights = EncoderWeights::kQ8;
};

struct EmbeddingFacts {
  EncoderFacts encoder;
  int64_t width = 0;       // of a vector
  int64_t max_tokens = 0;  // of a text that is embedded at once, special tokens included
  Pooling pooling = Pooling::kMean;
  std::string query_prefix;    // put before a text of the role kQuery
  std::string passage_prefix;  // put before a text of the role kPassage
  std::string prefix_source;   // where the prefixes are from: a file's name, or a family of models
};

struct Embeddings {
  Tensor vectors;               // F32 [texts, width]; each row has the length 1
  std::vector<int64_t> tokens;  // [texts], prefixes and special tokens included
  // Texts that were longer than the window. Each was embedded in parts, and its vector is the mean
  // of theirs, weighted by their tokens.
  std::vector<int64_t> split;
};

// EmbeddingModel is immutable but for its pool of threads, which serves one caller at a time.
class EmbeddingModel {
 public:
  // Opens a checkpoint (Checkpoint::Open) with its tokenizer and side files. Errors name the file.
  // Throws Error(kUnsupported) for a language model that is no embedding model.
  static std::unique_ptr<EmbeddingModel> Open(const std::filesystem::path& path,
                                              const EmbeddingOptions& options);

  const std::filesystem::path& path() const { return path_; }  // as it was opened
  const std::string& name() const { return name_; }            // the file's or folder's name
  const EmbeddingFacts& facts() const { return facts_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  // Returns what a user should know of the model, a sentence each; most models have no notes.
  const std::vector<std::string>& notes() const { return notes_; }

  // Returns a hash of all that a vector depends on but the text and the kernel set: the model's
  // files as they were opened, and the type of the weights. Vectors of equal keys can be compared.
  // The files are read whole when this is first called.
  SnapshotKey Key() const;

  // Returns the vectors of texts, in their order. A text's vector is the same, bit for bit,
  // whatever else is embedded with it. Ill-formed UTF-8 is read as U+FFFD. Reports "embedding", in
  // tokens. Throws Error(kCancelled), and Error(kInvalidArgument) for a text of 2 GiB and more.
  Embeddings Embed(std::span<const std::string_view> texts, TextRole role,
                   const WorkControl& control) const;

  // Returns the number of tokens of a text in a role, with prefix and special tokens.
  int64_t CountTokens(std::string_view text, TextRole role) const;

 private:
  // A part of a text: the whole text, where it fits the window.
  struct Part {
    int64_t text = 0;
    std::vector<TokenId> tokens;
  };
  struct Dense {
    DenseModule module;
    std::vector<float> weight;  // [out, in]
    std::vector<float> bias;    // [out], or empty
  };

  EmbeddingModel() : kernels_(SelectKernelSet()) {}

  void ReadFiles(const Checkpoint& checkpoint);
  void BindDense(const Checkpoint& checkpoint);
  std::vector<TokenId> Encode(std::string_view text, TextRole role) const;
  std::vector<Part> PartsOf(std::span<const std::string_view> texts, TextRole role,
                            const WorkControl& control) const;
  // Writes the unit vector of each part to `rows`, [parts, width].
  void EmbedParts(std::span<const Part> parts, Tensor& rows, const WorkControl& control) const;
  void EmbedBatch(std::span<const Part* const> batch, std::span<const Part> parts, Tensor& rows,
                  const Compute& compute) const;
  void ApplyDense(Tensor& pooled) const;

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::filesystem::path path_;
  std::string name_;
  std::string settings_;  // all side files that count, as text
  const KernelSet& kernels_;
  std::unique_ptr<ThreadPool> threads_;
  // A pool of one for each of the threads, which then work on a batch each.
  std::vector<std::unique_ptr<ThreadPool>> singles_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Tokenizer> tokenizer_;
  EmbeddingFacts facts_;
  EncoderWeights weights_ = EncoderWeights::kAsStored;
  Normalizer lower_case_;  // empty where texts are read as they are written
  std::vector<Dense> dense_;
  std::vector<std::string> notes_;
  mutable std::once_flag hashed_;
  mutable SnapshotKey key_;
};

}  // namespace tome
