// The facts that a conversation gives to the plan, the way that it chooses by the plan, and surveys.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tome/answer/conversation.h"
#include "tome/answer/evidence.h"
#include "tome/answer/support.h"
#include "tome/answer/survey.h"
#include "tome/answer/whole_question.h"
#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Adds the facts that follow from the ability of the model.
void AddAbility(const Ability& ability, PlanFacts& facts) {
  facts.readable_tokens = ReadableTokens(ability);
  if (ability.amount == EvidenceAmount::kText) return;
  facts.retrieval_tokens = std::min(facts.retrieval_tokens, kRankedTokens);
}

}  // namespace

// Gathers facts without rates. Where the documents may fit, it fills the sources and the prompt of
// `choice` and counts the tokens of the prompt.
PlanFacts Conversation::Facts(const DocumentsSize& size, const std::string& question,
                              Choice& choice) {
  const ModelFacts& model = model_.model().facts();
  const MemoryOptions& memory_options = options_.memory;
  PlanFacts facts{.model = model,
                  .kv = KvTypeFor(model, memory_options.kv, static_cast<int64_t>(size.tokens)),
                  .documents_named = !documents_.empty(),
                  .document_tokens = static_cast<int64_t>(size.tokens),
                  .prompt_tokens = {},
                  .kept_tokens = 0,
                  .retrieval_tokens = 0,
                  .answer_tokens = limits_.answer_tokens,
                  .free_memory = AvailableMemory(),
                  .rates = {},
                  .longer = memory_options.longer,
                  .forgets = memory_options.window > 0,
                  .resident_bytes = memory_options.resident_bytes,
                  .budget_seconds = options_.budget_seconds,
                  .sparse = memory_options.attention_mass.has_value(),
                  .keeping = {},
                  .free_disk = {}};
  if (options_.store != nullptr) {
    facts.keeping = KeepingFacts{.max_bytes = options_.store->max_bytes(),
                                 .used_bytes = options_.store->bytes()};
    facts.free_disk = AvailableDisk(options_.store->folder());
  } else if (memory_options.resident_bytes) {
    facts.free_disk = AvailableDisk(memory_options.spill_folder);
  }
  if (IsWorthCounting(facts)) {
    choice.sources = WholeDocuments(library_, documents_);
    choice.prompt = Encode(WholeMessage(question, choice.sources));
    facts.prompt_tokens = static_cast<int64_t>(choice.prompt.size());
    facts.kv = KvTypeFor(model, memory_options.kv, *facts.prompt_tokens);
    if (options_.store != nullptr && !memory_options.attention_mass) {
      const Memory memory = reader_.NewMemory(*facts.prompt_tokens);
      // The last token is read in any case (Session::Restore).
      const auto before_last =
          std::span(choice.prompt).first(std::max<size_t>(choice.prompt.size(), 1) - 1);
      facts.kept_tokens =
          options_.store->CountStored(model_.MemoryRoot(memory), before_last, memory);
    }
  }
  const auto instructions = static_cast<int64_t>(Encode(PromptOf(question, {})).size());
  facts.retrieval_tokens =
      std::min(instructions + limits_.passage_tokens,
               facts.prompt_tokens.value_or(instructions + facts.document_tokens));
  return facts;
}

PlanFacts Conversation::GatherPlanFacts(Measuring measuring, const WorkControl& control) {
  DocumentNames names(library_, documents_);
  Choice choice;
  PlanFacts facts = Facts(SizeOf(library_, documents_, names), /*question=*/"", choice);
  // Questions are expected in the language of the documents.
  constexpr size_t kBeginning = 2000;
  const std::string text =
      documents_.empty() ? std::string() : library_.Text(documents_.front().id);
  AddAbility(AbilityFor(LanguageOf(std::string_view(text).substr(0, kBeginning)), control), facts);
  facts.rates = RatesFor(measurements_, model_, facts.kv, measuring, control);
  return facts;
}

// Chooses a way. A choice of a whole way holds the documents and the prompt.
Conversation::Choice Conversation::Choose(Way way, const DocumentsSize& size,
                                          const std::string& question, const WorkControl& control) {
  Choice choice;
  PlanFacts facts = Facts(size, question, choice);
  Plan plan = MakePlan(facts);
  if (ReadsWholeDocuments(way)) {
    if (const std::optional<Obstacle>& obstacle = plan.Of(way).obstacle) {
      throw Error(obstacle->code, obstacle->reason, obstacle->advice);
    }
    choice.way = way;
    choice.why = {"asked for"};
    return choice;
  }
  if (!plan.Of(WholeWayOf(facts.model)).obstacle) {
    AddAbility(AbilityFor(LanguageOf(question), control), facts);
    facts.rates = RatesFor(measurements_, model_, facts.kv, Measuring::kWhereNotKept, control);
    plan = MakePlan(facts);
  }
  choice.way = plan.taken;
  choice.why = {std::move(plan.why), std::move(plan.advice)};
  if (!ReadsWholeDocuments(choice.way)) {
    choice.sources = {};
    choice.prompt.clear();
  }
  return choice;
}

std::optional<Note> Conversation::WhySurvey(const std::string& question, Way way,
                                            const WorkControl& control) {
  if (way == Way::kSurvey) return Note("asked for");
  if (way != Way::kAuto || whole_read_) return std::nullopt;
  const std::string text = CollapseWhiteSpace(NormalizeText(question));
  const std::optional<WholeQuestion> whole = RecogniseWholeQuestion(text);
  if (!whole) return std::nullopt;
  if (!whole->literal.empty()) {
    return Note("the question counts words of the text, which needs no model");
  }
  DocumentNames names(library_, documents_);
  const Choice choice = Choose(way, SizeOf(library_, documents_, names), text, control);
  if (choice.way != Way::kRetrieval) return std::nullopt;
  constexpr std::string_view kBecause = "because ";
  const size_t because = choice.why.text.find(kBecause);
  return Note(
      fmt::format("the question is about the whole, so all parts are read one by one, {}",
                  because == std::string::npos ? choice.why.text : choice.why.text.substr(because)),
      choice.why.advice);
}

Answer Conversation::AnswerBySurvey(const std::string& question, Note why,
                                    const WorkControl& control) {
  Answer answer;
  answer.question = CollapseWhiteSpace(NormalizeText(question));
  if (!HasWords(answer.question)) throw Error(Code::kInvalidArgument, "the question is empty");
  answer.way = NameOf(Way::kSurvey);
  answer.why = std::move(why);
  DocumentNames names(library_, documents_);
  const DocumentsSize size = SizeOf(library_, documents_, names);
  answer.document_tokens = size.tokens;
  answer.document_characters = size.characters;
  // A survey that was asked for may be about anything. Other questions gather what speaks of them.
  const WholeQuestion whole =
      RecogniseWholeQuestion(answer.question).value_or(WholeQuestion{.kind = WholeKind::kList});
  if (!whole.literal.empty()) {
    CountOccurrences(library_, documents_, whole.literal, answer, control);
    return answer;
  }
  PlanFacts facts;
  facts.model = model_.model().facts();
  facts.kv = KvTypeFor(facts.model, options_.memory.kv, kRankedTokens);
  facts.rates = RatesFor(measurements_, model_, facts.kv, Measuring::kWhereNotKept, control);
  Survey(library_, documents_, answer_model_,
         {.whole = whole,
          .window = SurveyWindowSize(facts.model),
          .model_key = model_.FilesKey().ToString(),
          .budget_seconds = options_.budget_seconds,
          .window_seconds = SurveyWindowSeconds(facts)},
         answer, control);
  if (options_.strict) LeaveOutUnsupported(answer);
  return answer;
}

}  // namespace tome
