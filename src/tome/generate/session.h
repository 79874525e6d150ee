// A Session is one sequence with its memory: prefill, then decode. PrefillTogether and
// GenerateTogether advance several sessions in the same forward passes. Such a pass reads the
// weights once for all sessions, and reads once the pages that forks of one memory share.
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

// Tokens of one forward pass of prefill: matrix products are efficient and activations stay small.
inline constexpr int64_t kPrefillChunk = 512;

// The tokens after a text's last whole snapshot are kept in the store only if this will save the
// reading of at least kWorthKeeping tokens. A state of recurrent layers is large wherever it
// stands, so one near the end of a text must save at least kStateWorthKeeping tokens.
inline constexpr int64_t kWorthKeeping = 128;
inline constexpr int64_t kStateWorthKeeping = 1024;

// Prompt-lookup speculation looks for runs of kLookupNgram tokens and drafts at most kLookupDraft.
inline constexpr int64_t kLookupNgram = 3;
inline constexpr int64_t kLookupDraft = 8;
// Sequences that are continued together share this many tokens of a pass, drafts included: a matrix
// product of that many rows takes about twice as long as one of a single row. Beyond that, a draft
// costs nearly as much as the passes it saves.
inline constexpr int64_t kLookupPass = 16;

enum class Speculation { kNone, kPromptLookup };

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 256;        // new tokens at most; at least 1
  std::vector<std::string> stops;  // the text ends before the first one that comes up
  // The model checks a draft in one pass. Greedy output is the same with and without drafts, token
  // for token, since a token's logits do not depend on the pass that computes them. Drafts are not
  // used with a temperature, nor with recurrent layers, which cannot forget a refused draft.
  Speculation speculation = Speculation::kPromptLookup;
  // Says which tokens may come; null: all. A mask remembers the tokens chosen, so each generation
  // needs a new one, which must outlive it. Greedy output under a mask, too, is the same with and
  // without drafts.
  TokenMask* mask = nullptr;
  std::stop_token stop;  // ends the generation; what was generated stands
};

enum class FinishReason {
  kEnd,        // the model ended its turn
  kStop,       // a stop string came up, or the sink asked to stop
  kMaxTokens,  // GenerateOptions::max_tokens are used up
  kContext,    // the memory's max_tokens are used up: the text is as long as it can be
  kComplete,   // the mask allows nothing more
  kCancelled,
};

struct Generated {
  std::vector<TokenId> tokens;  // without the end-of-generation token
  // The text without the stop string, in whole characters. Where the text was ended within a
  // character, the beginning of that is left out; where the model itself ended there, it is U+FFFD.
  std::string text;
  FinishReason finish = FinishReason::kEnd;
  int64_t forward_passes = 0;
  int64_t drafted_tokens = 0;   // by speculation
  int64_t accepted_tokens = 0;  // of the drafted ones
  double seconds = 0;           // from the beginning until it ended
};

// Takes text as it is generated, always whole characters and never a part of a stop string. It
// returns false to end the generation.
using TextSink = std::function<bool(std::string_view text)>;

struct SessionReading;
struct SessionWriting;

// Model, tokenizer and all that `compute` refers to must outlive the session. One thread at a time.
class Session {
 public:
  Session(const Model& model, const Tokenizer& tokenizer, const Compute& compute, Memory memory);

  // From now on the session keeps what it reads in the store. When an empty session is to read
  // tokens, it takes their stored beginning from there; at least the last token is read. The store
  // must outlive the session. Forks have no store. Does nothing for a streaming memory, and for one
  // with sparse attention, whose bits depend on how a text is cut into passes. States of recurrent
  // layers are kept at a few positions only: the regular ones of memory/state_positions.h, and the
  // last one possible before the end of a Prefill, if that saves kStateWorthKeeping tokens.
  void UseStore(SnapshotStore& store, SnapshotOwner owner);
  // Says that later texts may differ from this one after its first `tokens` tokens. Until the
  // session has read that many, a Prefill keeps the state of recurrent layers there, not near its
  // own end.
  void KeepAt(int64_t tokens) { keep_at_ = tokens; }

  // Returns another session with the same tokens; memory is shared until one of them writes there.
  Session Fork() const;

  // PrefillTogether for this session alone.
  void Prefill(std::span<const TokenId> tokens, const WorkControl& control);

  // GenerateTogether for this session alone.
  Generated Generate(const GenerateOptions& options, const TextSink& sink);

  // Returns the logits of the next token, which the last token read gave. Empty where they are
  // unknown: before the first Prefill, after a Truncate that forgot tokens, and after a reading
  // that was stopped. Valid until the next call.
  std::span<const float> logits() const { return logits_.floats(); }
  // Returns all tokens read and generated.
  std::span<const TokenId> tokens() const { return tokens_; }
  const Memory& memory() const { return memory_; }
  const Model& model() const { return model_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const KernelSet& kernels() const { return compute_.kernels; }
  // Returns how many tokens came from the store instead of being read.
  int64_t restored() const { return restored_; }
  // Forgets the tokens after the first `length`, and earlier ones too where Memory::Truncate must.
  // Returns the number of tokens left. Where tokens were forgotten, a Prefill must come before the
  // next Generate.
  [[nodiscard]] int64_t Truncate(int64_t length);

 private:
  class Writer;
  friend void PrefillTogether(std::span<const SessionReading> readings, const WorkControl& control);
  friend std::vector<Generated> GenerateTogether(std::span<const SessionWriting> writings);

  // Takes the stored beginning of `tokens`. Returns its number of tokens.
  size_t Restore(std::span<const TokenId> tokens);
  // There are `tokens` tokens left to read. Returns how many of them the next pass may take, so
  // that it ends where a state is to be kept.
  size_t ForOnePass(size_t tokens);
  using Tail = SnapshotStore::Tail;
  // Gives the store the whole snapshots that are new and, with Tail::kKept, the tokens after them
  // if they are worth it (kWorthKeeping). With recurrent layers, this is done only at a position
  // that ForOnePass chose for a state or, with Tail::kKept, wherever a state is worth it
  // (kStateWorthKeeping).
  void Keep(Tail tail);
  void KeepState(Tail tail);
  void KeepLogits(std::span<const float> row);
  // Adds the log-probabilities of `tokens`, which were read in a pass that gave `rows`. The
  // session's logits are those from before the pass.
  void AddLogProbabilities(std::span<const TokenId> tokens, std::span<const float> rows,
                           std::vector<double>& log_probabilities) const;

  const Model& model_;
  const Tokenizer& tokenizer_;
  Compute compute_;
  Memory memory_;
  std::vector<TokenId> tokens_;  // tokens in memory
  Tensor logits_;                // [1, V]
  SnapshotStore* store_ = nullptr;
  SnapshotOwner owner_;
  int64_t restored_ = 0;
  int64_t kept_ = 0;        // tokens that the store is known to give back
  int64_t keep_at_ = 0;     // set by KeepAt; 0: not set
  int64_t next_state_ = 0;  // the position that ForOnePass chose last for a state
};

// Says where the tokens of a reading come from. After a prompt, sparse attention looks for pages
// where the prompt found some (Memory::Preselect), the session can go back there
// (Memory::Checkpoint), and its store keeps it. None of this is done for tokens that the model has
// written.
enum class TokenOrigin { kPrompt, kWritten };

// Tokens that one of several sessions is to read.
struct SessionReading {
  Session* session = nullptr;
  std::span<const TokenId> tokens;
  AttentionTap* tap = nullptr;  // records where the tokens attend; may be null
  // The ln P(token | all before it) of each token is appended here, except that of the first token
  // where the session has no logits. All tokens' logits are then computed. May be null.
  std::vector<double>* log_probabilities = nullptr;
  TokenOrigin origin = TokenOrigin::kPrompt;
};

// Returns ln P(token) by a row of logits, within 2e-6.
double LogProbability(const KernelSet& kernels, std::span<const float> logits, TokenId token);

// Reads the tokens of each reading. A pass takes at most kPrefillChunk tokens of all readings
// together. Progress is reported as "reading", in tokens. Where a tap or log-probabilities are
// asked for, no token is taken from a store. The sessions are different ones of one model. When
// stopped, throws Error(kCancelled); the tokens read so far are kept. Throws what Model::Forward
// throws.
void PrefillTogether(std::span<const SessionReading> readings, const WorkControl& control);

// Says how one of several sessions is to be continued.
struct SessionWriting {
  Session* session = nullptr;  // not empty
  GenerateOptions options;
  TextSink sink;
};

// Continues each session until it ends. A pass holds the next tokens of all that have not ended;
// each session's tokens are those, bit for bit, that it would generate alone. The results are in
// the order of `writings`. The sessions are different ones of one model. Throws
// Error(kInvalidArgument) for options without meaning, before any token is chosen, and what
// Model::Forward and Sampler throw.
std::vector<Generated> GenerateTogether(std::span<const SessionWriting> writings);

}  // namespace tome
