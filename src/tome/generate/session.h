// One sequence with its memory: prefill, then decode; and several of them together, in the same
// forward passes, which read the weights once for all, and once what forks of one memory share.
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
#include "tome/generate/token_mask.h"
#include "tome/memory/snapshot_store.h"
#include "tome/models/model.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Tokens of one forward pass of prefill: matrix products are efficient, activations stay small.
inline constexpr int64_t kPrefillChunk = 512;

// The end of a text, shorter than a snapshot, is kept where that saves reading so many tokens; the
// state of recurrent layers there, which is as large as any, where it saves more.
inline constexpr int64_t kWorthKeeping = 128;
inline constexpr int64_t kStateWorthKeeping = 1024;

// Prompt-lookup speculation: runs of this many tokens are looked for, drafts are this long.
inline constexpr int64_t kLookupNgram = 3;
inline constexpr int64_t kLookupDraft = 8;
// Sequences that are continued together share so many tokens of a pass, drafts included: a matrix
// product of that many rows takes about twice as long as one of a single row. BeyondContext, a
// draft costs nearly as much as the passes it saves.
inline constexpr int64_t kLookupPass = 16;

enum class Speculation { kNone, kPromptLookup };

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 256;        // new tokens at most; at least 1
  std::vector<std::string> stops;  // the text ends before the first of them
  // Drafts are checked by the model in one pass. Greedy output is the same with and without, token
  // for token, since a token's logits do not depend on the pass it is computed in; with a
  // temperature drafts are not used.
  Speculation speculation = Speculation::kPromptLookup;
  // Says which tokens may come; null: all. It serves this generation alone and outlives it. Greedy
  // output under a mask, too, is the same with and without drafts.
  TokenMask* mask = nullptr;
  std::stop_token stop;  // ends the generation; what was generated stands
};

enum class FinishReason {
  kEnd,        // the model ended its turn
  kStop,       // a stop string came up, or the sink asked to stop
  kMaxTokens,  // GenerateOptions::max_tokens are used up
  kContext,    // the memory's max_tokens are: the text is as long as it can be
  kComplete,   // the mask allows nothing more
  kCancelled,
};

struct Generated {
  std::vector<TokenId> tokens;  // without the end-of-generation token
  // Without the stop string. Whole characters: the beginning of one, where the text was ended in
  // its middle, is left out; only where the model itself ended there it is U+FFFD.
  std::string text;
  FinishReason finish = FinishReason::kEnd;
  int64_t forward_passes = 0;
  int64_t drafted_tokens = 0;   // by speculation
  int64_t accepted_tokens = 0;  // of those
  double seconds = 0;           // until it ended
};

// Takes text as it is generated, always whole characters and never a part of a stop string. False
// ends the generation.
using TextSink = std::function<bool(std::string_view text)>;

struct SessionReading;
struct SessionWriting;

// Model and tokenizer must outlive the session; `compute` as well. One thread.
class Session {
 public:
  Session(const Model& model, const Tokenizer& tokenizer, const Compute& compute, Memory memory);

  // From now on what is read is kept in the store, which outlives the session, and found there: an
  // empty session takes from it what it has of all but the last token to read. Forks have no store.
  // A memory whose attention is sparse is not kept, for its bits depend on how a text is cut into
  // passes, nor is one that forgets. Of recurrent layers the states at some positions are kept: the
  // regular ones of memory/state_positions.h, and one before the end of each Prefill that is long.
  void UseStore(SnapshotStore& store, SnapshotOwner owner);
  // Texts to come may go on otherwise behind so many tokens: of recurrent layers that state is kept
  // rather than one near the end of what is read.
  void KeepAt(int64_t tokens) { keep_at_ = tokens; }

  // Another session with the same tokens; memory is shared until one of them writes there.
  Session Fork() const;

  // PrefillTogether for this session alone.
  void Prefill(std::span<const TokenId> tokens, const WorkControl& control);

  // GenerateTogether for this session alone.
  Generated Generate(const GenerateOptions& options, const TextSink& sink);

  // The logits of the next token: of the last token read. None where that is unknown: behind a
  // Truncate that forgot tokens, and a reading that was stopped. Valid until the next call.
  std::span<const float> logits() const { return logits_.floats(); }
  // All tokens read and generated.
  std::span<const TokenId> tokens() const { return tokens_; }
  const Memory& memory() const { return memory_; }
  const Model& model() const { return model_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const KernelSet& kernels() const { return compute_.kernels; }
  // Tokens that the store gave instead of reading them.
  int64_t restored() const { return restored_; }
  // Forgets all but the first `length` tokens, or some more (Memory::Truncate): gives the number of
  // tokens left. A Prefill must follow before Generate.
  [[nodiscard]] int64_t Truncate(int64_t length);

 private:
  class Writer;
  friend void PrefillTogether(std::span<const SessionReading> readings, const WorkControl& control);
  friend std::vector<Generated> GenerateTogether(std::span<const SessionWriting> writings);

  // Takes the stored beginning of `tokens`; how many that are.
  size_t Restore(std::span<const TokenId> tokens);
  // Of `tokens` to read, those of the next pass at most: a pass ends where a state is to be kept.
  size_t ForOnePass(size_t tokens);
  // Gives the store the whole snapshots that are new and, with `tail`, what is worth it behind
  // them; of recurrent layers only where ForOnePass wanted it, or with `tail` anywhere.
  void Keep(bool tail);
  void KeepState(bool tail);
  void KeepLogits(std::span<const float> row);
  // Of `tokens`, which were read in a pass that gave `rows` and began with the session's logits.
  void AddLogProbabilities(std::span<const TokenId> tokens, std::span<const float> rows,
                           std::vector<double>& log_probabilities) const;

  const Model& model_;
  const Tokenizer& tokenizer_;
  Compute compute_;
  Memory memory_;
  std::vector<TokenId> tokens_;  // those in memory
  Tensor logits_;                // [1, V]
  SnapshotStore* store_ = nullptr;
  SnapshotOwner owner_;
  int64_t restored_ = 0;
  int64_t kept_ = 0;        // tokens that the store is known to give back
  int64_t keep_at_ = 0;     // as KeepAt says; 0: nothing was said
  int64_t next_state_ = 0;  // position where a state is to be kept, or an earlier one
};

// Where the tokens of a reading come from. Behind a prompt, sparse attention looks for pages where
// the prompt found some (Memory::Preselect), the session can go back there (Memory::Checkpoint),
// and its store keeps it. Nothing of this is done for tokens that the model has written.
enum class TokenOrigin { kPrompt, kWritten };

// Tokens that one of several sessions is to read.
struct SessionReading {
  Session* session = nullptr;
  std::span<const TokenId> tokens;
  AttentionTap* tap = nullptr;  // gets where the tokens attend; none: nobody asks
  // Gets ln P(token | all before it) of each token, but for the first one where the session is
  // empty or has no logits; none: nobody asks. Every token's logits are computed then.
  std::vector<double>* log_probabilities = nullptr;
  TokenOrigin origin = TokenOrigin::kPrompt;
};

// ln P(token) by a row of logits, within 2e-6.
double LogProbability(const KernelSet& kernels, std::span<const float> logits, TokenId token);

// Reads each one's tokens, kPrefillChunk of all of them in a pass; reports "reading" with tokens
// done. Where a tap or log-probabilities are asked for, no token is taken from a store. Stopped, it
// throws Error(kCancelled) and what was read is kept. The sessions are different ones, of one
// model. Errors as Model::Forward.
void PrefillTogether(std::span<const SessionReading> readings, const WorkControl& control);

// How one of several sessions is to be continued.
struct SessionWriting {
  Session* session = nullptr;  // not empty
  GenerateOptions options;
  TextSink sink;
};

// Continues each session until it ends. A pass holds the next tokens of all that have not ended;
// each one's tokens are those, bit for bit, that it would generate alone. What is generated comes
// in the order of `writings`. The sessions are different ones, of one model.
// Error(kInvalidArgument) for options without meaning, before any token is chosen; errors of
// Model::Forward and Sampler.
std::vector<Generated> GenerateTogether(std::span<const SessionWriting> writings);

}  // namespace tome
