#include "tome/answer/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <system_error>
#include <utility>

#include "tome/answer/survey.h"
#include "tome/base/mebibytes.h"
#include "tome/memory/state_positions.h"

namespace tome {
namespace {

// Returns the disk space that keeping the memory of a whole text takes.
int64_t DiskBytes(const PlanFacts& facts, int64_t tokens) {
  const ModelFacts& model = facts.model;
  if (!model.has_recurrent()) return MemoryBytes(model, facts.kv, tokens);
  return (model.has_whole_kv() ? KvBytes(model.kv, facts.kv, tokens) : 0) +
         CountStates(tokens, model.segment_tokens) * RecurrentBytes(model.recurrent) +
         tokens * static_cast<int64_t>(sizeof(TokenId));
}

// Plans the costs of reading `tokens` tokens, of which the first `kept` need not be read.
PlannedWay Sized(Way way, int64_t tokens, int64_t kept, bool estimated, const PlanFacts& facts) {
  PlannedWay planned{.way = way,
                     .tokens = tokens,
                     .estimated = estimated,
                     .memory_bytes = MemoryBytes(facts.model, facts.kv, tokens),
                     .disk_bytes = DiskBytes(facts, tokens),
                     .read_seconds = {},
                     .answer_seconds = {},
                     .obstacle = {}};
  if (facts.rates) {
    planned.read_seconds = SecondsToRead(facts.model, *facts.rates, tokens) -
                           SecondsToRead(facts.model, *facts.rates, kept);
    planned.answer_seconds = SecondsToWrite(facts.model, *facts.rates, facts.kv, tokens);
  }
  return planned;
}

// Returns the disk space for `bytes` more of kept memories, including old ones that make room.
int64_t RoomToKeep(const PlanFacts& facts, int64_t bytes) {
  const int64_t free = facts.free_disk.value_or(INT64_MAX / 2);
  if (!facts.keeping) return free;
  const int64_t over = facts.keeping->used_bytes + bytes - facts.keeping->max_bytes;
  return free + std::clamp<int64_t>(over, 0, facts.keeping->used_bytes);
}

// Returns how many bytes of a memory's keys and values lie in a spill file. The first `kept` tokens
// are read where they are kept and do not count.
int64_t SpilledBytes(const PlanFacts& facts, int64_t tokens, int64_t kept) {
  if (!facts.resident_bytes || !facts.model.has_whole_kv()) return 0;
  const int64_t bytes = KvBytes(facts.model.kv, facts.kv, tokens);
  const int64_t stored = KvBytes(facts.model.kv, facts.kv, kept);
  return std::max<int64_t>(0, bytes - stored - *facts.resident_bytes);
}

// Returns why the memory of whole documents will not be kept, or no value.
std::optional<Note> WhyNotKept(const PlannedWay& way, const PlanFacts& facts) {
  if (facts.sparse) return Note("what sparse attention computes depends on how the text is cut");
  if (!facts.keeping) return Note("nothing is kept", {Advice::Raise(Setting::kCacheSize)});
  if (way.disk_bytes > facts.keeping->max_bytes) {
    return Note(fmt::format("it takes {}, and kept memories may take {}", MiB(way.disk_bytes),
                            MiB(facts.keeping->max_bytes)),
                {Advice::Raise(Setting::kCacheSize)});
  }
  const int64_t missing = way.disk_bytes - DiskBytes(facts, facts.kept_tokens);
  // A hybrid model's keys and values are kept only at the positions of states, and lie in RAM or in
  // a spill file until then. Others are kept at once and read there.
  const int64_t spilled =
      facts.model.has_recurrent() ? SpilledBytes(facts, way.tokens, facts.kept_tokens) : int64_t{0};
  if (missing > 0 && missing + spilled > RoomToKeep(facts, missing)) {
    return fmt::format("it takes {}{}, and {} are free on the disk", MiB(missing + spilled),
                       facts.kept_tokens > 0 ? " more" : "", MiB(*facts.free_disk));
  }
  return std::nullopt;
}

Advice UseWay(Way way) { return Advice::Use(Setting::kWay, std::string(NameOf(way))); }

// Returns why a memory has no room, or no value. The first `kept` tokens are read where they are
// kept.
std::optional<Obstacle> MemoryObstacle(const PlannedWay& way, int64_t kept,
                                       const PlanFacts& facts) {
  // The part without room in RAM lies in a file. A memory that is kept at once lies in its
  // snapshots.
  const bool whole = way.way != Way::kRetrieval;
  const bool kept_at_once = whole && !way.not_kept && !facts.model.has_recurrent();
  std::vector<Advice> advice{whole ? UseWay(Way::kRetrieval)
                                   : Advice::Lower(Setting::kPassageTokens)};
  const int64_t spilled = SpilledBytes(facts, way.tokens, kept);
  if (!kept_at_once && facts.free_disk && spilled > *facts.free_disk) {
    advice.push_back(Advice::Raise(Setting::kMemory));
    return Obstacle{Code::kIo,
                    fmt::format("what of {} tokens has no room in RAM takes {}, and {} are free on "
                                "the disk",
                                way.tokens, MiB(spilled), MiB(*facts.free_disk)),
                    std::move(advice)};
  }
  const int64_t resident = std::min(way.memory_bytes, facts.resident_bytes.value_or(INT64_MAX));
  if (!facts.free_memory ||
      static_cast<double>(resident) <= kUsableMemory * static_cast<double>(*facts.free_memory)) {
    return std::nullopt;
  }
  if (facts.model.has_whole_kv()) {
    advice.push_back(Advice::Use(Setting::kMemory, {}, "which leaves the rest in a file"));
  }
  return Obstacle{Code::kOutOfMemory,
                  fmt::format("remembering {} tokens takes {} MiB and {} MiB are free", way.tokens,
                              resident >> 20, *facts.free_memory >> 20),
                  std::move(advice)};
}

Advice UseLonger(ContextExtension longer, std::string effect = {}) {
  return Advice::Use(Setting::kLonger, std::string(NameOf(longer)), std::move(effect));
}

std::optional<Obstacle> WholeObstacle(const PlannedWay& way, const PlanFacts& facts) {
  const int64_t trained = facts.model.trained_tokens;
  if (!facts.documents_named) {
    return Obstacle{Code::kInvalidArgument,
                    "no documents were named, and the whole library is asked",
                    {UseWay(Way::kRetrieval)}};
  }
  if (facts.forgets) {
    return Obstacle{Code::kInvalidArgument,
                    "a window would forget the documents while they are read",
                    {UseWay(Way::kRetrieval), Advice::LeaveOut(Setting::kWindow)}};
  }
  if (facts.longer || way.tokens + facts.answer_tokens <= trained) {
    return MemoryObstacle(way, facts.kept_tokens, facts);
  }
  // Recurrent layers do not distinguish positions and read on unchanged.
  std::vector<Advice> advice{UseWay(Way::kRetrieval)};
  if (way.way == Way::kLinear) {
    advice.push_back(UseLonger(ContextExtension::kNone, "which reads on as it is"));
  } else {
    advice.push_back(UseLonger(ContextExtension::kDca));
    advice.push_back(UseLonger(ContextExtension::kYarn, "which read beyond that at a loss"));
  }
  if (way.estimated) {
    return Obstacle{Code::kInvalidArgument,
                    fmt::format("the documents are about {} tokens and the model was made for {}",
                                way.tokens, trained),
                    advice};
  }
  return Obstacle{Code::kInvalidArgument,
                  fmt::format("documents and question are {} tokens, {}and the model was made for "
                              "{}",
                              way.tokens,
                              facts.answer_tokens > 0
                                  ? fmt::format("the answer may take {}, ", facts.answer_tokens)
                                  : "",
                              trained),
                  advice};
}

// Returns the way of whole documents that the model does not support.
PlannedWay NotGone(const ModelFacts& facts) {
  if (WholeWayOf(facts) == Way::kContext) {
    return {.way = Way::kLinear,
            .read_seconds = {},
            .answer_seconds = {},
            .obstacle = Obstacle{
                Code::kInvalidArgument,
                fmt::format("{} attends to every token, and so its memory grows with the text; the "
                            "linear way needs a model with recurrent layers (Mamba, Mamba-2, "
                            "Jamba, RetNet, Infini-attention)",
                            facts.architecture),
                {UseWay(Way::kContext), UseWay(Way::kRetrieval)}}};
  }
  return {.way = Way::kContext,
          .read_seconds = {},
          .answer_seconds = {},
          .obstacle =
              Obstacle{Code::kInvalidArgument,
                       fmt::format("{} has recurrent layers, which do not keep every token exactly",
                                   facts.architecture),
                       {UseWay(Way::kLinear), UseWay(Way::kRetrieval)}}};
}

// Plans the reading of all windows. Every window is a reading of its own, so that memory is that of
// one window, while tokens and seconds are those of all.
PlannedWay PlannedSurvey(const PlanFacts& facts) {
  const WindowSize size = SurveyWindowSize(facts.model);
  const SurveyCost cost = EstimateSurvey(facts.document_tokens, size);
  const int64_t longest = static_cast<int64_t>(size.tokens) + kTokensBesideWindow;
  PlannedWay planned = Sized(Way::kSurvey, longest, /*kept=*/0, /*estimated=*/true, facts);
  planned.tokens = cost.tokens;
  planned.disk_bytes = 0;
  planned.not_kept = Note("notes are kept, and no memory");
  if (const auto seconds = SurveyWindowSeconds(facts)) {
    planned.read_seconds = *seconds * static_cast<double>(cost.windows);
  }
  return planned;
}

std::optional<Obstacle> RetrievalObstacle(const PlannedWay& way, const PlanFacts& facts) {
  if (!facts.longer && !facts.forgets &&
      way.tokens + facts.answer_tokens > facts.model.trained_tokens) {
    return Obstacle{
        Code::kInvalidArgument,
        fmt::format("passages and question are about {} tokens, the answer may take {}, and the "
                    "model was made for {}",
                    way.tokens, facts.answer_tokens, facts.model.trained_tokens),
        {Advice::Lower(Setting::kPassageTokens), Advice::Lower(Setting::kMaxTokens)}};
  }
  return MemoryObstacle(way, /*kept=*/0, facts);
}

}  // namespace

std::optional<double> SurveyWindowSeconds(const PlanFacts& facts) {
  if (!facts.rates) return std::nullopt;
  const auto text = static_cast<int64_t>(SurveyWindowSize(facts.model).tokens);
  constexpr int64_t kWritten = 40;  // of a note, about
  return SecondsToRead(facts.model, *facts.rates, text + kTokensBesideWindow - kWritten) +
         kWritten * SecondsToWrite(facts.model, *facts.rates, facts.kv, text);
}

const PlannedWay& Plan::Of(Way way) const {
  for (const PlannedWay& planned : ways) {
    if (planned.way == way) return planned;
  }
  internal::CheckFailed("a way of the plan", __FILE__, __LINE__);
}

TokenLimits TokenLimitsFor(const ModelFacts& model, const RequestedLimits& asked,
                           BeyondContext beyond) {
  // Tokens of instructions and question, which are rarely more.
  constexpr int64_t kMostForQuestion = 512;
  const int64_t context = beyond == BeyondContext::kYes ? kAnyLength : model.trained_tokens;
  const int64_t left = context - std::min(context / 4, kMostForQuestion);
  TokenLimits limits;
  const auto fit = [](int64_t tokens, int64_t most) {
    return std::clamp<int64_t>(tokens, 1, most);
  };
  if (asked.answer_tokens) {
    limits.answer_tokens = *asked.answer_tokens;
    limits.passage_tokens = fit(left - limits.answer_tokens, kDefaultPassageTokens);
  } else {
    limits.answer_tokens =
        fit(asked.passage_tokens ? left - *asked.passage_tokens : left / 3, kDefaultAnswerTokens);
    limits.passage_tokens = fit(left - limits.answer_tokens, kDefaultPassageTokens);
  }
  if (asked.passage_tokens) limits.passage_tokens = *asked.passage_tokens;
  return limits;
}

bool IsWorthCounting(const PlanFacts& facts) {
  constexpr int64_t kEstimateMargin = 4;
  return facts.documents_named && !facts.forgets &&
         (facts.longer || facts.document_tokens / kEstimateMargin <= facts.model.trained_tokens);
}

Plan MakePlan(const PlanFacts& facts) {
  const Way whole_way = WholeWayOf(facts.model);
  PlannedWay whole =
      Sized(whole_way, facts.prompt_tokens.value_or(facts.document_tokens), facts.kept_tokens,
            /*estimated=*/!facts.prompt_tokens, facts);
  whole.not_kept = WhyNotKept(whole, facts);
  whole.obstacle = WholeObstacle(whole, facts);
  PlannedWay retrieval =
      Sized(Way::kRetrieval, facts.retrieval_tokens, /*kept=*/0, /*estimated=*/true, facts);
  retrieval.not_kept = Note("other questions find other passages");
  retrieval.obstacle = RetrievalObstacle(retrieval, facts);

  Plan plan;
  std::string reason;
  if (whole.obstacle) {
    reason = whole.obstacle->reason;
    // `auto` reads passages already, so this advice is left out.
    std::copy_if(whole.obstacle->advice.begin(), whole.obstacle->advice.end(),
                 std::back_inserter(plan.advice),
                 [](const Advice& advice) { return advice != UseWay(Way::kRetrieval); });
  } else if (whole.tokens > facts.readable_tokens) {
    reason = fmt::format("the documents are {} tokens, and the model finds its way in about {}",
                         whole.tokens, facts.readable_tokens);
  } else if (whole.read_seconds && *whole.read_seconds > facts.budget_seconds) {
    reason =
        fmt::format("reading all {} tokens would take about {:.0f} s, and the budget is {:.0f} s",
                    whole.tokens, *whole.read_seconds, facts.budget_seconds);
    plan.advice = {Advice::Raise(Setting::kBudget)};
  }
  if (reason.empty()) {
    plan.taken = whole_way;
    const int64_t trained = facts.model.trained_tokens;
    plan.why = fmt::format(
        "all {} tokens of the documents are read: {}", whole.tokens,
        trained == kAnyLength ? "the model reads any length"
        : whole.tokens + facts.answer_tokens <= trained
            ? fmt::format("they fit the model's {}", trained)
            : fmt::format("{} takes them beyond the model's {}",
                          NameOf(facts.longer.value_or(ContextExtension::kNone)), trained));
    if (facts.kept_tokens > 0) {
      plan.why += fmt::format(", {} of them are kept from an earlier reading", facts.kept_tokens);
    }
    if (whole.read_seconds) {
      plan.why += fmt::format(" and take about {:.1f} s", *whole.read_seconds);
    }
  } else {
    plan.taken = Way::kRetrieval;
    plan.why = fmt::format("the best passages are read, because {}", reason);
  }
  // Quotes come from the index alone.
  const PlannedWay quotes{
      .way = Way::kQuotes, .read_seconds = 0, .answer_seconds = 0, .obstacle = {}};
  PlannedWay other = NotGone(facts.model);
  if (whole_way == Way::kLinear) std::swap(whole, other);
  plan.ways = {quotes, std::move(whole), std::move(other), std::move(retrieval),
               PlannedSurvey(facts)};
  return plan;
}

std::optional<int64_t> AvailableDisk(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path existing = std::filesystem::absolute(folder, error);
  while (!error && !std::filesystem::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  const std::filesystem::space_info space = std::filesystem::space(existing, error);
  constexpr uintmax_t kMost = INT64_MAX / 2;
  if (error) return std::nullopt;
  return static_cast<int64_t>(std::min(space.available, kMost));
}

}  // namespace tome
