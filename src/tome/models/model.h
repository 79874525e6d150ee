// A language model: tokens in, logits out, with what was read kept in a Memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/memory/memory.h"
#include "tome/models/attention_tap.h"
#include "tome/tensor/tensor.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Which rows of logits a forward pass computes: the output head costs as much as a layer or more.
enum class LogitsOf {
  kNone,
  kLast,  // the last token of the item
  kAll,
};

// New tokens of one sequence.
struct BatchItem {
  Memory* memory = nullptr;  // of this model; no two items of a batch share one
  std::span<const TokenId> tokens;
  LogitsOf logits = LogitsOf::kLast;
  AttentionTap* tap = nullptr;  // gets where the tokens attend; none: nobody asks
};
// A ragged batch: each sequence brings as many tokens as it has.
using Batch = std::span<const BatchItem>;

// Matrices of one type.
struct LinearWeights {
  DType dtype = DType::kF32;
  int64_t elements = 0;
  int64_t bytes = 0;  // as stored
};

// The context of models that nothing tells how long a text is.
inline constexpr int64_t kAnyLength = std::numeric_limits<int32_t>::max();

// What a model is, for whoever plans, reports or measures.
struct ModelFacts {
  std::string architecture;    // "llama", "qwen3", …
  int64_t vocabulary = 0;      // rows of logits
  int64_t trained_tokens = 0;  // context it was made for, what lengthens it included; or kAnyLength
  int64_t native_tokens = 0;   // context it was first trained on: less where something lengthens it
  std::string lengthened_by;   // "yarn", "dca", "llama3", …; empty: nothing
  int64_t layers = 0;
  int64_t parameters = 0;         // of all tensors
  int64_t linear_parameters = 0;  // multiplied with every token: no embedding, with the output head
  std::vector<LinearWeights> linear;  // of the layers, type by type
  LinearWeights head;                 // the output head
  KvShape kv;  // of the keys and values that a memory holds; no layers: there is no attention
  KvType kv_type = KvType::kF16;  // of a memory that names none: 16 bits, without loss to the
                                  // kernels that the model was loaded for
  bool rope_by_length = false;    // keys depend on PositionScheme::rope_tokens
  int64_t attention_width = 0;    // layers · heads · head size, for the cost of attention
  // Keys and values are those of a segment of so many tokens, and then forgotten; 0: of all tokens.
  int64_t segment_tokens = 0;
  RecurrentShape recurrent = {};  // of the state that a memory holds; no layers: none

  bool has_attention() const { return kv.layers > 0; }
  // Whether keys and values of all tokens are remembered, as Memory::has_whole_kv says.
  bool has_whole_kv() const { return has_attention() && segment_tokens == 0; }
  bool has_recurrent() const { return recurrent.layers > 0; }
};

// Texts of more tokens are remembered in 8 bits unless a type is asked for.
inline constexpr int64_t kLongText = 32768;

// The type of a memory for a text of `tokens` tokens, where `asked` may name one.
inline KvType KvTypeFor(const ModelFacts& facts, std::optional<KvType> asked, int64_t tokens) {
  // Where layers are recurrent, keys and values are few.
  const bool many = tokens > kLongText && !facts.has_recurrent();
  return asked.value_or(many ? KvType::kQ8 : facts.kv_type);
}

// Bytes of a memory of `tokens` tokens: keys and values, which grow, and states, which do not.
inline int64_t MemoryBytes(const ModelFacts& facts, KvType type, int64_t tokens) {
  const int64_t kept = facts.segment_tokens > 0 ? std::min(tokens, facts.segment_tokens) : tokens;
  return (facts.has_attention() ? KvBytes(facts.kv, type, kept) : 0) +
         RecurrentBytes(facts.recurrent);
}

// Operations of attention for `tokens` tokens behind `depth`, each of which attends to itself and
// all before it: 4·L·H·D for every pair.
inline double AttentionOperations(const ModelFacts& facts, int64_t depth, int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  double pairs = n * static_cast<double>(depth) + n * (n + 1) / 2;
  if (facts.segment_tokens > 0) {
    pairs = std::min(pairs, n * static_cast<double>(facts.segment_tokens + 1) / 2);  // on average
  }
  return 4 * static_cast<double>(facts.attention_width) * pairs;
}

// Bytes of the matrices that every token written reads: of the layers and the output head.
inline int64_t WeightBytes(const ModelFacts& facts) {
  int64_t bytes = facts.head.bytes;
  for (const LinearWeights& weights : facts.linear) bytes += weights.bytes;
  return bytes;
}

// Immutable once loaded: any number of threads may run forward passes, each with its own memories
// and its own Compute.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  virtual const ModelFacts& facts() const = 0;

  // Error(kInvalidArgument) when options.max_tokens is negative, options.attention_mass no share,
  // or a way to go beyond the model's length was asked for that the model, or sparse attention,
  // does not go with; Error(kIo) when options.spill_folder cannot be used. What does not concern
  // the model (options.kv, where there is no attention) is not looked at.
  virtual Memory NewMemory(const MemoryOptions& options) const = 0;

  // Reads every item's tokens into its memory. The result is F32 [rows, vocabulary]: the logits
  // asked for, in the order of items and tokens; [0, vocabulary] when none were. A token's result
  // is the same, bit for bit, whatever else the batch holds and however its sequence was cut into
  // passes (with sparse attention what page_choice.h says). `compute` has the kernel set that the
  // model was loaded for.
  //
  // Error(kInvalidArgument) for a token outside the vocabulary, an item without tokens or a memory
  // that would outgrow its max_tokens; Error(kOutOfMemory). No memory is changed then.
  virtual Tensor Forward(Batch batch, const Compute& compute) const = 0;
};

}  // namespace tome
