// The measured loss of a model by a memory of few bits, and what follows from it. Memories of four
// bits are allowed only where their loss is known, because small models do not bear them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tome/base/advice.h"
#include "tome/kernels/attention.h"

namespace tome {

class LanguageModel;
class Measurements;

// Compares the next-token distributions with a memory of type `kv` and with one of 16 bits, over
// the tokens of one text. Divergences are KL(16 bits ‖ kv), in nats.
struct KvLoss {
  KvType kv = KvType::kQ8;
  int64_t tokens = 0;  // counted tokens of the text
  double mean_kl = 0;
  double p99_kl = 0;  // 99 of 100 tokens lie below
  double largest_kl = 0;
  double perplexity = 0;
  double exact_perplexity = 0;  // with 16 bits
  double same_top = 0;          // share of tokens after which both have the same likeliest token
  double bytes_per_token = 0;

  friend bool operator==(const KvLoss&, const KvLoss&) = default;
};

// A mean divergence above this is called bad.
inline constexpr double kBadMeanKl = 0.1;

// Returns "keys and values in q4: as measured on … tokens of text, mean KL divergence …".
Note NoteOf(const KvLoss& loss);

// Returns the note on the memory's type. Where the text's length chose kQ8 (no `asked` type), the
// note says so. It also tells the loss, or how to measure it. Otherwise it tells only the loss, and
// is empty where the loss is not known.
std::optional<Note> NoteOfType(std::optional<KvType> asked, KvType used,
                               const std::optional<KvLoss>& loss);

// Returns the measured loss of this model by memories of type `kv` (`tome bench kv`). Empty where
// none was measured, and for types that lose nothing. Reads the model's files whole where the
// measurements hold a loss of this type. Throws Error(kUnavailable) for kQ4 with an unknown loss.
std::optional<KvLoss> KnownKvLoss(Measurements& measurements, const LanguageModel& model,
                                  KvType kv);

}  // namespace tome
