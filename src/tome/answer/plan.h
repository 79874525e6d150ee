// What each way of answering would take, and which one `auto` takes: arithmetic on facts, so that
// what is foretold and what is done are the same.
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

// A model's memory may take so much of what is free; the rest is for the weights' pages and
// everything else.
inline constexpr double kUsableMemory = 0.8;

// What memories that are kept on disk may take.
struct KeepingFacts {
  int64_t max_bytes = 0;   // of all of them
  int64_t used_bytes = 0;  // by those there are, the oldest of which make room
};

struct PlanFacts {
  ModelFacts model;
  KvType kv = KvType::kF16;
  bool documents_named = true;           // false: the whole library is asked
  int64_t document_tokens = 0;           // estimated
  std::optional<int64_t> prompt_tokens;  // of the whole documents with instructions and question
  int64_t kept_tokens = 0;               // of the prompt, from an earlier reading
  // The longest text that the model finds its way in, as far as that was tested.
  int64_t readable_tokens = kAnyLength;
  int64_t retrieval_tokens = 0;        // of the passages with instructions and question, at most
  int64_t answer_tokens = 0;           // at most
  std::optional<int64_t> free_memory;  // nothing: unknown, and taken to do
  std::optional<ModelRates> rates;  // nothing: seconds stay unknown, and the budget is taken to do
  // As MemoryOptions has it: texts beyond what the model was made for may be read.
  std::optional<ContextExtension> longer = {};
  bool forgets = false;  // by a window: of whole documents little would be left
  std::optional<int64_t> resident_bytes = {};  // as MemoryOptions has it
  double budget_seconds = 0;  // that reading may take for `auto` to choose `context`
  bool sparse = false;        // attention, whose bits depend on how a text is cut: it is not kept
  std::optional<KeepingFacts> keeping = {};  // nothing: nothing is kept
  // Where memories are kept, and what has no room in RAM lies; nothing: unknown, and taken to do.
  std::optional<int64_t> free_disk = {};
};

// Why a way cannot be gone, as an error that says so has it.
struct Obstacle {
  Code code = Code::kInvalidArgument;
  std::string reason;
  std::vector<Advice> advice;  // what to do instead
};

// What one way takes of the model. Memory and disk are the pages of keys and values, and the states
// of recurrent layers. A way that the model does not go takes nothing.
struct PlannedWay {
  Way way = Way::kQuotes;
  int64_t tokens = 0;  // that the model reads before it answers
  bool estimated = false;
  int64_t memory_bytes = 0;
  int64_t disk_bytes = 0;                // that keeping the memory would take
  std::optional<double> read_seconds;    // nothing: unknown
  std::optional<double> answer_seconds;  // of a token of the answer, behind all that was read
  std::optional<Obstacle> obstacle;      // nothing: it fits
  // Why the memory will not be kept, which keeps nobody from the way; nothing: it will be, or there
  // is none.
  std::optional<Note> not_kept = {};

  bool is_kept() const { return tokens > 0 && !obstacle && !not_kept; }
};

struct Plan {
  std::array<PlannedWay, 4> ways;  // kQuotes, kContext, kLinear, kRetrieval
  Way taken = Way::kRetrieval;     // by `auto`, with a model
  std::string why;
  std::vector<Advice> advice;  // what would let `auto` read whole documents; empty where it does

  const PlannedWay& Of(Way way) const;
};

// Tokens of an answer, evidence included, and of the passages of kRetrieval.
inline constexpr int64_t kDefaultAnswerTokens = 1024;
inline constexpr int64_t kDefaultPassageTokens = 2048;

// What the user asked for; nothing: what the model has room for.
struct RequestedLimits {
  std::optional<int64_t> answer_tokens = {};
  std::optional<int64_t> passage_tokens = {};
};
// At most so many.
struct TokenLimits {
  int64_t answer_tokens = kDefaultAnswerTokens;
  int64_t passage_tokens = kDefaultPassageTokens;
};
// Whether more tokens than the model was made for may be read.
enum class BeyondContext { kNo, kYes };

// kDefaultAnswerTokens and kDefaultPassageTokens, or less where the model was made for fewer tokens
// than these with instructions and question: a quarter of its context, at most 512 tokens, stays
// free for those, and answer and passages share the rest as one to two. What was asked for stays as
// it is, and takes from the other. BeyondContext the model nothing need be less.
TokenLimits TokenLimitsFor(const ModelFacts& model, const RequestedLimits& asked,
                           BeyondContext beyond);

// Whether the documents may fit at all: only then is it worth to count their tokens, since reading
// and encoding ten million characters to learn that they do not fit takes a while.
bool IsWorthCounting(const PlanFacts& facts);

// `auto` takes kContext or kLinear, as the model goes, where the documents are named, fit with the
// answer what the model was made for (or are to be read beyond that) and with their memory
// kUsableMemory of the free memory, and can be read within the budget; else kRetrieval.
Plan MakePlan(const PlanFacts& facts);

// What the file system of a folder, which need not exist yet, has left for this user; nothing where
// it does not say.
std::optional<int64_t> AvailableDisk(const std::filesystem::path& folder);

}  // namespace tome
