// One sequence with its memory: prefill, then decode.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/generate/sampler.h"
#include "tome/memory/snapshot_store.h"
#include "tome/models/model.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Tokens of one forward pass of prefill: matrix products are efficient, activations stay small.
inline constexpr int64_t kPrefillChunk = 512;

// Prompt-lookup speculation: runs of this many tokens are looked for, drafts are this long.
inline constexpr int64_t kLookupNgram = 3;
inline constexpr int64_t kLookupDraft = 8;

enum class Speculation { kNone, kPromptLookup };

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 256;        // new tokens at most; at least 1
  std::vector<std::string> stops;  // the text ends before the first of them
  // Drafts are checked by the model in one pass. Greedy output is the same with and without, token
  // for token, since a token's logits do not depend on the pass it is computed in; with a
  // temperature drafts are not used.
  Speculation speculation = Speculation::kPromptLookup;
  std::stop_token stop;  // ends the generation; what was generated stands
};

enum class FinishReason {
  kEnd,        // the model ended its turn
  kStop,       // a stop string came up, or the sink asked to stop
  kMaxTokens,  // the budget, or the memory's max_tokens, is used up
  kCancelled,
};

struct Generated {
  std::vector<TokenId> tokens;  // without the end-of-generation token
  std::string text;             // without the stop string
  FinishReason finish = FinishReason::kEnd;
  int64_t forward_passes = 0;
  int64_t drafted_tokens = 0;   // by speculation
  int64_t accepted_tokens = 0;  // of those
  double seconds = 0;
};

// Takes text as it is generated, always whole characters and never a part of a stop string. False
// ends the generation.
using TextSink = std::function<bool(std::string_view text)>;

// Model and tokenizer must outlive the session; `compute` as well. One thread.
class Session {
 public:
  Session(const Model& model, const Tokenizer& tokenizer, const Compute& compute, Memory memory);

  // From now on what is read is kept in the store, which outlives the session, and found there.
  void UseStore(SnapshotStore& store, SnapshotOwner owner);

  // Reads tokens in chunks of kPrefillChunk; reports "reading" with tokens done. Stopped, it throws
  // Error(kCancelled) and what was read is kept. With a store an empty session takes from it what
  // it has of all but the last token, and gives it what was read. Errors as Model::Forward.
  void Prefill(std::span<const TokenId> tokens, const WorkControl& control);

  // Continues the sequence, which must not be empty.
  Generated Generate(const GenerateOptions& options, const TextSink& sink);

  // The logits of the next token: of the last token read. Valid until the next call.
  std::span<const float> logits() const { return logits_.floats(); }
  // All tokens read and generated.
  std::span<const TokenId> tokens() const { return tokens_; }
  const Memory& memory() const { return memory_; }
  // Tokens that the store gave instead of reading them.
  int64_t restored() const { return restored_; }
  // Forgets all but the first `length` tokens; a Prefill must follow before Generate.
  void Truncate(int64_t length);

 private:
  // Reads tokens and keeps the logits of the last one.
  void Read(std::span<const TokenId> tokens);
  // Takes the stored beginning of `tokens`; how many that are.
  size_t Restore(std::span<const TokenId> tokens);
  void Keep(bool tail);

  const Model& model_;
  const Tokenizer& tokenizer_;
  Compute compute_;
  Memory memory_;
  std::vector<TokenId> tokens_;  // those in memory
  Tensor logits_;                // [1, V]
  SnapshotStore* store_ = nullptr;
  SnapshotOwner owner_;
  int64_t restored_ = 0;
};

}  // namespace tome
