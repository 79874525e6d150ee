// What a model loses by a memory of few bits, as it was measured, and what follows from it: four
// bits are used where their loss is known, since small models do not bear them (Qwen3-0.6B falls
// from a perplexity of 13.5 to 47.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tome/base/advice.h"
#include "tome/kernels/attention.h"

namespace tome {

class LanguageModel;
class Library;

// Next-token distributions with a memory of type `kv` against those with one of 16 bits, over the
// tokens of one text. Divergences are KL(16 bits ‖ kv), in nats.
struct KvLoss {
  KvType kv = KvType::kQ8;
  int64_t tokens = 0;  // of the text, that were counted
  double mean_kl = 0;
  double p99_kl = 0;  // 99 of 100 tokens lie below
  double largest_kl = 0;
  double perplexity = 0;
  double exact_perplexity = 0;  // with 16 bits
  double same_top = 0;          // share of tokens behind which both find the same token likeliest
  double bytes_per_token = 0;

  friend bool operator==(const KvLoss&, const KvLoss&) = default;
};

// Mean divergences above this are called bad.
inline constexpr double kBadMeanKl = 0.1;

// "keys and values in q4 cost a mean KL divergence of …", for whoever reads with them.
Note NoteOf(const KvLoss& loss);

// What a reader is told of the memory's type: its loss, where it is known, or that the text's
// length chose it. Nothing where it loses nothing or was asked for.
std::optional<Note> NoteOfType(std::optional<KvType> asked, KvType used,
                               const std::optional<KvLoss>& loss);

// What was measured of memories of type `kv` of this model (`tome bench kv`); nothing where nothing
// was, or for types that lose nothing. Reads the model's files whole when something may be known.
// Error(kUnavailable) for kQ4 whose loss is not known.
std::optional<KvLoss> KnownKvLoss(Library& library, const LanguageModel& model, KvType kv);

}  // namespace tome
