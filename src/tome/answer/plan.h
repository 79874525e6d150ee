// Plans what each way of answering would take, and which way `auto` takes. A plan is arithmetic on
// facts, so that forecast and execution agree.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/way.h"
#include "tome/base/advice.h"
#include "tome/base/error.h"
#include "tome/base/memory_limits.h"
#include "tome/generate/model_rates.h"
#include "tome/models/model.h"

namespace tome {

// The share of the free memory that a model's memory may take. The pages of the weights and
// everything else need the rest.
inline constexpr double kUsableMemory = 0.8;

// Disk space of the memories that are kept.
struct KeepingFacts {
  int64_t max_bytes = 0;   // limit of all together
  int64_t used_bytes = 0;  // of the present ones; the oldest make room for new ones
};

struct PlanFacts {
  ModelFacts model;
  KvType kv = KvType::kF16;
  bool documents_named = true;  // false: the whole library is asked
  int64_t document_tokens = 0;  // estimated
  // Whole documents with instructions and question. Empty where they were not counted.
  std::optional<int64_t> prompt_tokens;
  int64_t kept_tokens = 0;  // of the prompt, from an earlier reading
  // The longest text in which the model finds evidence, as far as tested (ReadableTokens).
  int64_t readable_tokens = kAnyLength;
  int64_t retrieval_tokens = 0;  // of passages, instructions and question, at most
  int64_t answer_tokens = 0;     // at most
  // Without a value, the free memory is assumed to suffice.
  std::optional<int64_t> free_memory;
  // Without a value, seconds stay unknown and the budget is assumed to suffice.
  std::optional<ModelRates> rates;
  // MemoryOptions::longer: the model may read more tokens than it was made for.
  std::optional<ContextExtension> longer = {};
  bool forgets = false;                        // a window would forget most of whole documents
  std::optional<int64_t> resident_bytes = {};  // MemoryOptions::resident_bytes
  double budget_seconds = 0;  // longest reading for which `auto` chooses whole documents
  // Attention is sparse. Its bits depend on how a text is cut, so the memory is not kept.
  bool sparse = false;
  std::optional<KeepingFacts> keeping = {};  // empty: no memories are kept
  // Free bytes on the disk of the kept memories or of the spill file. Without a value, they are
  // assumed to suffice.
  std::optional<int64_t> free_disk = {};
};

// The reason why a way cannot be taken, as the parts of an Error.
struct Obstacle {
  Code code = Code::kInvalidArgument;
  std::string reason;
  std::vector<Advice> advice;  // what to do instead
};

// The costs of one way. Memory and disk hold the pages of keys and values and the states of
// recurrent layers. A way that the model does not support costs nothing.
struct PlannedWay {
  Way way = Way::kQuotes;
  int64_t tokens = 0;  // read by the model before it answers
  bool estimated = false;
  int64_t memory_bytes = 0;
  int64_t disk_bytes = 0;                // of the memory, if it is kept
  std::optional<double> read_seconds;    // empty: unknown
  std::optional<double> answer_seconds;  // of a token of the answer, after all that was read
  std::optional<Obstacle> obstacle;      // empty: the way can be taken
  // Why the memory will not be kept, which does not prevent the way. Empty where it will be kept,
  // and where there is no memory.
  std::optional<Note> not_kept = {};

  bool is_kept() const { return tokens > 0 && !obstacle && !not_kept; }
};

struct Plan {
  std::array<PlannedWay, 5> ways;  // kQuotes, kContext, kLinear, kRetrieval, kSurvey
  Way taken = Way::kRetrieval;     // by `auto` with a model
  std::string why;
  std::vector<Advice> advice;  // makes `auto` read whole documents; empty where it does already

  const PlannedWay& Of(Way way) const;
};

// Default limits of an answer, including its evidence, and of the passages of kRetrieval, in
// tokens.
inline constexpr int64_t kDefaultAnswerTokens = 1024;
inline constexpr int64_t kDefaultPassageTokens = 2048;

// Limits that the user asked for. Without a value, a limit is what the model has room for.
struct RequestedLimits {
  std::optional<int64_t> answer_tokens = {};
  std::optional<int64_t> passage_tokens = {};
};
// The largest numbers of tokens.
struct TokenLimits {
  int64_t answer_tokens = kDefaultAnswerTokens;
  int64_t passage_tokens = kDefaultPassageTokens;
};
// Says whether the model may read more tokens than it was made for.
enum class BeyondContext { kNo, kYes };

// Returns kDefaultAnswerTokens and kDefaultPassageTokens, or less where the context of the model is
// too short for both. A quarter of the context, at most 512 tokens, stays free for instructions and
// question. Answer and passages share the rest as one to two. A limit that was asked for stays
// unchanged, and the other one takes what is left. With BeyondContext::kYes no limit is less.
TokenLimits TokenLimitsFor(const ModelFacts& model, const RequestedLimits& asked,
                           BeyondContext beyond);

// Returns whether the documents may fit at all. Only then is it worth counting their tokens,
// because reading and encoding ten million characters takes a while.
bool IsWorthCounting(const PlanFacts& facts);

// Makes the plan. `auto` takes the model's way of whole documents (WholeWayOf) where all of these
// hold, and else kRetrieval:
// - Documents are named, and no window would forget them.
// - Documents, question and answer fit the length that the model was made for, or `longer` is set.
// - Their memory fits kUsableMemory of the free memory, and its spilled part fits the disk.
// - They are no longer than `readable_tokens` and can be read within the budget.
Plan MakePlan(const PlanFacts& facts);

// Returns about how long the model takes to read one window of a survey and to write its note. Empty
// where the rates are unknown.
std::optional<double> SurveyWindowSeconds(const PlanFacts& facts);

// Returns the bytes that the file system of a folder has left for this user. The folder need not
// exist yet. Empty where the file system does not tell.
std::optional<int64_t> AvailableDisk(const std::filesystem::path& folder);

}  // namespace tome
