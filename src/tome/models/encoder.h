// An Encoder turns whole texts into vectors: BERT and its kin, whose tokens all see each other. It
// stands beside Model, which reads from left to right, writes, and keeps a Memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tome/formats/checkpoint.h"
#include "tome/kernels/kernel_set.h"
#include "tome/models/model.h"
#include "tome/tensor/tensor.h"
#include "tome/text/tokenizer.h"

namespace tome {

// An EncoderItem is one sequence of a batch, with its special tokens ([CLS] and [SEP]).
struct EncoderItem {
  std::span<const TokenId> tokens;
  // Tokens that belong to the first of two texts (token type 0); the others are of type 1. A
  // sequence of one text, the usual case, has kAllTokens.
  int64_t first_text = kAllTokens;
  static constexpr int64_t kAllTokens = INT64_MAX;
};
// An EncoderBatch is ragged: sequences of any lengths, computed without padding.
using EncoderBatch = std::span<const EncoderItem>;

// EncoderFacts says what an encoder is, for planning and reports.
struct EncoderFacts {
  std::string architecture;  // "bert", "xlm-roberta", …
  int64_t vocabulary = 0;    // rows of the embedding
  int64_t width = 0;         // of a token's row
  int64_t layers = 0;
  int64_t max_tokens = 0;          // of a sequence, special tokens included
  int64_t parameters = 0;          // of all tensors
  int64_t linear_parameters = 0;   // of the matrices that every token is multiplied with
  int64_t attention_width = 0;     // layers · heads · head size, for the cost of attention
  DType weights = DType::kF32;     // type that the largest matrices are multiplied in
  std::optional<Pooling> pooling;  // as the checkpoint itself (GGUF) says; HF says it in side files
};

// EncoderWeights is the type that matrices of plain numbers are multiplied in. Block-quantized
// matrices of a GGUF file stay as they are.
enum class EncoderWeights {
  kAsStored,
  kQ8,  // rounded to 8 bits at load (Q8_0), where their width is whole blocks of 32
};

// An Encoder is immutable once loaded. Any number of threads may run forward passes, each with its
// own Compute.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  virtual const EncoderFacts& facts() const = 0;

  // Computes all sequences in one pass. Without `pooling`, returns the last layer's rows of all
  // tokens, F32 [tokens, width], in the order of items and tokens. With it, returns a row for each
  // sequence, F32 [items, width], not normalized; an encoder then leaves out what only other rows
  // need. A sequence's result is the same, bit for bit, whatever else the batch holds. `compute`
  // must have the kernel set that the encoder was loaded for.
  //
  // Throws Error(kInvalidArgument) for a sequence without tokens or of more than max_tokens, and
  // for a token outside the vocabulary; and Error(kOutOfMemory).
  virtual Tensor Forward(EncoderBatch batch, std::optional<Pooling> pooling,
                         const Compute& compute) const = 0;
};

// Opens and binds an encoder, as LoadModel does a model. Throws Error(kUnsupported) for a
// checkpoint that is no encoder.
std::unique_ptr<Encoder> LoadEncoder(std::shared_ptr<const Checkpoint> checkpoint,
                                     EncoderWeights weights, const Compute& compute);

// Returns whether the checkpoint's architecture is an encoder. Throws the errors of ArchitectureOf.
bool IsEncoder(const Checkpoint& checkpoint);

}  // namespace tome
