// A Model turns tokens into logits, and keeps what it has read in a Memory.
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

// LogitsOf says for which tokens of an item a forward pass computes logits. The output head costs
// as much as a layer or more.
enum class LogitsOf {
  kNone,
  kLast,  // the last token of the item
  kAll,
};

// A BatchItem holds new tokens of one sequence.
struct BatchItem {
  Memory* memory = nullptr;  // made by this model; no two items of a batch share one
  std::span<const TokenId> tokens;
  LogitsOf logits = LogitsOf::kLast;
  AttentionTap* tap = nullptr;  // records where the tokens attend; null: no record
};
// A Batch is ragged: each sequence brings as many tokens as it has.
using Batch = std::span<const BatchItem>;

// A LinearWeights sums up the matrices of one type.
struct LinearWeights {
  DType dtype = DType::kF32;
  int64_t elements = 0;
  int64_t bytes = 0;  // as stored
};

// kAnyLength is the trained length of a model that sets no limit to the length of a text.
inline constexpr int64_t kAnyLength = std::numeric_limits<int32_t>::max();

// ModelFacts says what a model is, for planning, reports and measurements.
struct ModelFacts {
  std::string architecture;  // "llama", "qwen3", …
  int64_t vocabulary = 0;    // rows of logits
  // Tokens that the model was made for, context extension included; or kAnyLength.
  int64_t trained_tokens = 0;
  // Tokens that it was first trained on: fewer than trained_tokens where `lengthened_by` names a
  // context extension.
  int64_t native_tokens = 0;
  std::string lengthened_by;  // "yarn", "dca", "llama3", …; empty: no context extension
  int64_t layers = 0;
  int64_t parameters = 0;  // of all tensors
  // Parameters of all matrices that a token is multiplied with: those of the layers and of the
  // output head, but not the embedding, of which a token takes one row.
  int64_t linear_parameters = 0;
  std::vector<LinearWeights> linear;  // of the layers, by type
  LinearWeights head;                 // the output head
  KvShape kv;                         // keys and values of a memory; 0 layers: no attention
  // The type of a memory whose options name none. It is the 16-bit type of the kernel set that the
  // model was loaded for (KernelSet::kv_type).
  KvType kv_type = KvType::kF16;
  bool rope_by_length = false;  // whether keys depend on PositionScheme::rope_tokens
  int64_t attention_width = 0;  // layers · heads · head size, for the cost of attention
  // Tokens of a segment, at whose end keys and values are forgotten. 0: all are kept.
  int64_t segment_tokens = 0;
  RecurrentShape recurrent = {};  // state of a memory; 0 layers: not recurrent

  bool has_attention() const { return kv.layers > 0; }
  // Returns whether keys and values of all tokens are kept, as Memory::has_whole_kv says.
  bool has_whole_kv() const { return has_attention() && segment_tokens == 0; }
  bool has_recurrent() const { return recurrent.layers > 0; }
};

// The memory of a text of more tokens is kept in 8 bits, unless a type is asked for or the model
// has recurrent layers.
inline constexpr int64_t kLongText = 32768;

// Returns the type of a memory for a text of `tokens` tokens: `asked`, where it names one.
inline KvType KvTypeFor(const ModelFacts& facts, std::optional<KvType> asked, int64_t tokens) {
  // A model with recurrent layers has few keys and values.
  const bool many = tokens > kLongText && !facts.has_recurrent();
  return asked.value_or(many ? KvType::kQ8 : facts.kv_type);
}

// Returns the bytes of a memory of `tokens` tokens: keys and values, which grow, and states, which
// do not.
inline int64_t MemoryBytes(const ModelFacts& facts, KvType type, int64_t tokens) {
  const int64_t kept = facts.segment_tokens > 0 ? std::min(tokens, facts.segment_tokens) : tokens;
  return (facts.has_attention() ? KvBytes(facts.kv, type, kept) : 0) +
         RecurrentBytes(facts.recurrent);
}

// Returns the operations of attention for `tokens` tokens after the first `depth`. Each token
// attends to itself and to all tokens before it, at 4·L·H·D operations for every pair.
inline double AttentionOperations(const ModelFacts& facts, int64_t depth, int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  double pairs = n * static_cast<double>(depth) + n * (n + 1) / 2;
  if (facts.segment_tokens > 0) {
    pairs = std::min(pairs, n * static_cast<double>(facts.segment_tokens + 1) / 2);  // on average
  }
  return 4 * static_cast<double>(facts.attention_width) * pairs;
}

// Returns the bytes of all matrices that a written token reads: of the layers and the output head.
inline int64_t WeightBytes(const ModelFacts& facts) {
  int64_t bytes = facts.head.bytes;
  for (const LinearWeights& weights : facts.linear) bytes += weights.bytes;
  return bytes;
}

// A Model is immutable once loaded. Any number of threads may run forward passes, each with its own
// memories and its own Compute.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  virtual const ModelFacts& facts() const = 0;

  // Returns an empty memory. Throws Error(kInvalidArgument) when options.max_tokens is negative,
  // when options.attention_mass is no share, or when a window or a context extension was asked for
  // that does not go with the model, with sparse attention or with each other. Throws Error(kIo)
  // when options.spill_folder cannot be used. Options that do not concern the model (options.kv,
  // where there is no attention) are ignored.
  virtual Memory NewMemory(const MemoryOptions& options) const = 0;

  // Reads every item's tokens into its memory. Returns the logits asked for, in the order of items
  // and tokens: F32 [rows, vocabulary], with 0 rows when none were asked for. A token's result is
  // the same, bit for bit, whatever else the batch holds and however its sequence was cut into
  // passes (with sparse attention, as far as page_choice.h says). `compute` must have the kernel
  // set that the model was loaded for.
  //
  // Throws Error(kInvalidArgument) for a token outside the vocabulary, an item without tokens or a
  // memory that would outgrow its max_tokens, and Error(kOutOfMemory). No memory is changed then.
  virtual Tensor Forward(Batch batch, const Compute& compute) const = 0;
};

}  // namespace tome
