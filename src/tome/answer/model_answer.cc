#include "tome/answer/model_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "tome/answer/document_names.h"
#include "tome/answer/evidence.h"
#include "tome/answer/prompt.h"
#include "tome/base/error.h"
#include "tome/generate/shared_prompts.h"
#include "tome/retrieval/question.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Questions answered in the same passes at most: a row more of a matrix product costs less the
// fewer there are.
constexpr size_t kQuestionsTogether = 16;

bool IsWhole(Way way) { return way == Way::kContext || way == Way::kLinear; }

}  // namespace

// What the model is shown: texts that stand one after the other in the documents.
struct Conversation::Shown {
  struct Part {
    DocumentId document = 0;
    TextSpan span;
    std::string text;
    std::string section;
    double score = 0;
  };
  std::vector<Part> parts;
  std::string prompt;  // the user's message
  double search_seconds = 0;

  uint64_t characters() const {
    uint64_t count = 0;
    for (const Part& part : parts) count += CountCodePoints(part.text);
    return count;
  }
};

// A question on its way to its answer.
struct Conversation::Asked {
  Answer answer;
  Way way = Way::kRetrieval;
  Shown shown;
  std::vector<TokenId> prompt;  // empty: there is nothing to ask the model about
};

Conversation::Conversation(Library& library, const LanguageModel& model,
                           std::vector<AskedDocument> documents, const ModelAnswerOptions& options)
    : library_(library), model_(model), documents_(std::move(documents)), options_(options) {
  if (options_.kv) KnownKvLoss(library_, model_, *options_.kv);
}

std::optional<KvLoss> Conversation::LossFor(int64_t tokens) const {
  return KnownKvLoss(library_, model_, KvTypeFor(model_.model().facts(), options_.kv, tokens));
}

std::optional<std::string> Conversation::TypeNoteFor(int64_t tokens,
                                                     const std::optional<KvLoss>& loss) const {
  return NoteOfType(options_.kv, KvTypeFor(model_.model().facts(), options_.kv, tokens), loss);
}

Conversation::~Conversation() = default;

Conversation::Shown Conversation::ShowAll(const std::string& question) {
  Shown shown;
  std::vector<PromptText> texts;
  DocumentNames names(library_, documents_);
  for (const AskedDocument& document : documents_) {
    std::string text = library_.Text(document.id);
    texts.push_back({.place = names.Name(document.id), .text = text});
    shown.parts.push_back({.document = document.id,
                           .span = {.begin = 0, .end = text.size()},
                           .text = std::move(text),
                           .section = {},
                           .score = 1});
  }
  shown.prompt = whole_read_ ? FollowUpPromptOf(question) : PromptOf(question, texts);
  return shown;
}

Conversation::Shown Conversation::ShowPassages(const std::string& question_text) {
  const auto start = Clock::now();
  // More passages than any budget holds: the ranking beyond them does not matter.
  constexpr size_t kMostPassages = 256;
  Analyzer analyzer;
  const Question question = ParseQuestion(question_text, analyzer);
  std::vector<DocumentId> ids;
  for (const AskedDocument& document : documents_) ids.push_back(document.id);
  const LexicalResult found = library_.Search(question.terms, ids, kMostPassages);

  Shown shown;
  int64_t tokens = 0;
  for (const ScoredPassage& scored : found.passages) {
    const Library::PassageRecord passage = library_.ReadPassage(scored.id);
    std::string text = library_.Text(passage.document, passage.span);
    tokens += static_cast<int64_t>(
        model_.tokenizer().Encode(text, Specials::kLiteral, {.add_special = false}).size());
    if (tokens > options_.passage_tokens && !shown.parts.empty()) break;
    shown.parts.push_back({.document = passage.document,
                           .span = passage.span,
                           .text = std::move(text),
                           .section = passage.section_path,
                           .score = scored.score});
  }
  std::sort(shown.parts.begin(), shown.parts.end(), [](const auto& a, const auto& b) {
    return a.document != b.document ? a.document < b.document : a.span.begin < b.span.begin;
  });
  DocumentNames names(library_, documents_);
  std::vector<PromptText> texts;
  for (const Shown::Part& part : shown.parts) {
    std::string place = names.Name(part.document);
    if (const auto page = library_.PageOf(part.document, part.span.begin)) {
      place += fmt::format(", page {}", page->number);
    }
    if (!part.section.empty()) place += fmt::format(", {}", part.section);
    texts.push_back({.place = std::move(place), .text = part.text});
  }
  shown.prompt = PromptOf(question_text, texts);
  shown.search_seconds = SecondsSince(start);
  return shown;
}

std::vector<TokenId> Conversation::Encode(const std::string& prompt) const {
  // Texts stand in the first message, so that later questions find them read already.
  std::vector<ChatMessage> messages;
  for (const Turn& turn : turns_) {
    messages.push_back({.role = "user", .content = turn.question});
    messages.push_back({.role = "assistant", .content = turn.answer});
  }
  messages.push_back({.role = "user", .content = prompt});
  return model_.EncodeChat(messages);
}

// The facts of a first question, without rates. Where the documents may fit they are shown and
// their prompt is counted.
PlanFacts Conversation::Facts(const AskedSize& size, const std::string& question, Shown& shown,
                              std::vector<TokenId>& prompt) {
  const ModelFacts& model = model_.model().facts();
  PlanFacts facts{.model = model,
                  .kv = KvTypeFor(model, options_.kv, static_cast<int64_t>(size.tokens)),
                  .documents_named = !documents_.empty(),
                  .document_tokens = static_cast<int64_t>(size.tokens),
                  .prompt_tokens = {},
                  .kept_tokens = 0,
                  .retrieval_tokens = 0,
                  .answer_tokens = options_.max_answer_tokens,
                  .free_memory = AvailableMemory(),
                  .rates = {},
                  .longer = options_.longer,
                  .forgets = options_.window > 0,
                  .resident_bytes = options_.resident_bytes,
                  .budget_seconds = options_.budget_seconds,
                  .sparse = options_.attention_mass.has_value(),
                  .keeping = {},
                  .free_disk = {}};
  if (options_.store != nullptr) {
    facts.keeping = KeepingFacts{.max_bytes = options_.store->max_bytes(),
                                 .used_bytes = options_.store->bytes()};
    facts.free_disk = AvailableDisk(options_.store->folder());
  } else if (options_.resident_bytes) {
    facts.free_disk = AvailableDisk(options_.spill_folder);
  }
  if (IsWorthCounting(facts)) {
    shown = ShowAll(question);
    prompt = Encode(shown.prompt);
    facts.prompt_tokens = static_cast<int64_t>(prompt.size());
    facts.kv = KvTypeFor(model, options_.kv, *facts.prompt_tokens);
    if (options_.store != nullptr && !options_.attention_mass) {
      const Memory memory = NewMemory(*facts.prompt_tokens);
      facts.kept_tokens = options_.store->CountStored(model_.MemoryRoot(memory), prompt, memory);
    }
  }
  const auto instructions = static_cast<int64_t>(Encode(PromptOf(question, {})).size());
  facts.retrieval_tokens =
      std::min(instructions + options_.passage_tokens,
               facts.prompt_tokens.value_or(instructions + facts.document_tokens));
  return facts;
}

ModelRates Conversation::Rates(KvType kv, Measuring measuring, const WorkControl& control) {
  const ModelFacts& facts = model_.model().facts();
  const SpeedKey key = SpeedKeyOf(facts, model_.compute(), kv);
  if (measuring == Measuring::kWhereNotKept) {
    if (const auto kept = library_.RatesOf(key)) return *kept;
  }
  const ModelRates rates = MeasureRates(model_.model(), model_.compute(), key.kv, control);
  library_.KeepRates(key, rates);
  return rates;
}

PlanFacts Conversation::Foresee(Measuring measuring, const WorkControl& control) {
  DocumentNames names(library_, documents_);
  Shown shown;
  std::vector<TokenId> prompt;
  PlanFacts facts = Facts(SizeOf(library_, documents_, names), /*question=*/"", shown, prompt);
  facts.rates = Rates(facts.kv, measuring, control);
  return facts;
}

// kContext and kLinear come with what is shown and its tokens.
Conversation::Choice Conversation::Choose(Way way, const AskedSize& size,
                                          const std::string& question, Shown& shown,
                                          const WorkControl& control) {
  std::vector<TokenId> prompt;
  PlanFacts facts = Facts(size, question, shown, prompt);
  Plan plan = MakePlan(facts);
  if (IsWhole(way)) {
    if (const std::optional<Obstacle>& obstacle = plan.Of(way).obstacle) {
      throw Error(obstacle->code, fmt::format("{}; {}", obstacle->reason, obstacle->advice));
    }
    return {.way = way, .why = "asked for", .prompt = std::move(prompt)};
  }
  if (!plan.Of(WholeWayOf(facts.model)).obstacle) {
    facts.rates = Rates(facts.kv, Measuring::kWhereNotKept, control);
    plan = MakePlan(facts);
  }
  if (!IsWhole(plan.taken)) prompt.clear();
  return {.way = plan.taken, .why = std::move(plan.why), .prompt = std::move(prompt)};
}

// A memory for a prompt and its answer.
Memory Conversation::NewMemory(int64_t prompt_tokens) const {
  const int64_t needed = prompt_tokens + options_.max_answer_tokens;
  const int64_t trained = model_.model().facts().trained_tokens;
  int64_t max_tokens = std::max(needed, trained);
  if (options_.window > 0) {
    max_tokens = 0;
  } else if (options_.longer) {
    // Room for questions to come, which a memory made for fewer tokens would have to read all of
    // the documents anew for.
    max_tokens = trained;
    while (max_tokens < needed) max_tokens *= 2;
  }
  return model_.model().NewMemory(
      {.kv = KvTypeFor(model_.model().facts(), options_.kv, prompt_tokens),
       .max_tokens = max_tokens,
       .attention_mass = options_.attention_mass,
       .resident_bytes = options_.resident_bytes,
       .spill_folder = options_.spill_folder,
       .longer = options_.longer,
       .window = options_.window,
       .sinks = options_.sinks});
}

// Tokens that the prompts of all first questions about the same documents begin with, about: all
// but the words behind the documents.
int64_t Conversation::TokensBeforeQuestion(std::span<const TokenId> prompt,
                                           const std::string& question) const {
  const std::vector<TokenId> words = Encode(PromptOf(question, {}));
  const auto common = std::mismatch(prompt.rbegin(), prompt.rend(), words.rbegin(), words.rend());
  return prompt.rend() - common.first;
}

// Brings the session to hold the beginning of a prompt, reading only what it does not hold already.
void Conversation::Read(std::span<const TokenId> prompt, const Asked& asked,
                        const WorkControl& control) {
  const auto tokens = static_cast<int64_t>(prompt.size());
  if (!session_ || session_->memory().max_tokens() < tokens + options_.max_answer_tokens) {
    session_.emplace(model_.model(), model_.tokenizer(), model_.compute(), NewMemory(tokens));
    if (options_.store != nullptr && IsWhole(asked.way)) {
      DocumentNames names(library_, documents_);
      std::string title;
      std::vector<std::string> hashes;
      for (const AskedDocument& document : documents_) {
        title += (title.empty() ? "" : ", ") + names.Name(document.id);
        hashes.push_back(names.Record(document.id).hash);
      }
      session_->UseStore(*options_.store, {.root = model_.MemoryRoot(session_->memory()),
                                           .model = NormalizeText(model_.name()),
                                           .title = NormalizeText(title),
                                           .documents = std::move(hashes)});
      // Where other questions about these documents can begin.
      if (turns_.empty()) {
        session_->KeepAt(TokensBeforeQuestion(asked.prompt, asked.answer.question));
      }
    }
  }
  const auto held = session_->tokens();
  const auto [mine, theirs] = std::mismatch(prompt.begin(), prompt.end(), held.begin(), held.end());
  // At least one token is read, where there is one: its logits choose the first of the answer.
  const auto kept = std::min<int64_t>(
      mine - prompt.begin(), std::max<int64_t>(static_cast<int64_t>(prompt.size()) - 1, 0));
  const int64_t left = session_->Truncate(kept);
  session_->Prefill(prompt.subspan(static_cast<size_t>(left)), control);
}

// An answer that is being written: takes the model's words, looks its quotes up in what it was
// shown, and lets an answer through once it has evidence.
class Conversation::Recital {
 public:
  // `asked` gets the answer; it and `control` must outlive the recital.
  Recital(Conversation& conversation, Asked& asked, TextSink sink, const WorkControl& control)
      : library_(conversation.library_),
        options_(conversation.options_),
        parts_(asked.shown.parts),
        answer_(asked.answer),
        sink_(std::move(sink)),
        control_(control),
        names_(conversation.library_, conversation.documents_) {
    for (const Shown::Part& part : parts_) {
      texts_.push_back({.text = part.text, .begin = part.span.begin});
    }
  }

  // How the session that has read the prompt is to go on.
  SessionWriting Of(Session& session) {
    return {.session = &session,
            .options = {.sampling = options_.sampling,
                        .max_tokens = options_.max_answer_tokens,
                        .stops = {},
                        .speculation = options_.speculation,
                        .stop = control_.stop},
            .sink = [this](std::string_view text) { return Take(text); }};
  }

  void Finish(const Generated& generated) {
    parser_.Finish();
    LookUp();
    if (marks_) Show(marks_->Finish());
    answer_.generated_tokens = generated.tokens.size();
    answer_.generate_seconds = generated.seconds;

    if (dropped_ > 0) {
      answer_.notes.push_back(fmt::format(
          "{} of the model's {} quotes do not stand in what it was shown and were dropped",
          dropped_, parser_.evidence().size()));
    }
    if (generated.finish == FinishReason::kMaxTokens) {
      answer_.notes.push_back(fmt::format(
          "the answer ended at the limit of {} tokens (--max-tokens)", options_.max_answer_tokens));
    }
    if (generated.finish == FinishReason::kContext) {
      answer_.notes.emplace_back("the answer ended where the model's context did");
    }
    if (generated.finish == FinishReason::kCancelled) control_.CheckStop();
    const bool answered = parser_.in_answer() && !answer_.citations.empty();
    if (answered) return;
    if (parser_.not_found()) {
      answer_.citations.clear();
      answer_.notes.emplace_back("the model found no answer in what it read");
    } else if (answer_.citations.empty()) {
      answer_.notes.emplace_back(
          "the model gave no sentence of the document as evidence, so its words are not shown");
    } else {
      answer_.notes.emplace_back("the model quoted the document and gave no answer");
      return;
    }
    answer_.text.clear();
    Show(NotFoundAnswer(LanguageOf(answer_.question)));
  }

 private:
  bool Take(std::string_view text) {
    control_.Report("writing", 0, 0);
    const std::string part = parser_.Push(text);
    LookUp();
    if (parser_.not_found()) return false;
    if (!parser_.in_answer()) return true;
    if (answer_.citations.empty()) return false;  // an answer that rests on nothing
    if (!marks_) marks_.emplace(numbers_);
    return Show(marks_->Push(part));
  }

  void LookUp() {
    for (; looked_up_ < parser_.evidence().size(); ++looked_up_) {
      Cite(parser_.evidence()[looked_up_]);
    }
  }

  void Cite(const EvidenceLine& line) {
    const auto found = FindQuote(line.quote, texts_);
    if (!found) {
      ++dropped_;
      return;
    }
    const Shown::Part& part = parts_[found->shown];
    const auto same = std::find_if(
        answer_.citations.begin(), answer_.citations.end(), [&](const Citation& citation) {
          return citation.document_id == part.document && citation.span == found->span;
        });
    numbers_[line.number] = static_cast<int>(same - answer_.citations.begin()) + 1;
    if (same != answer_.citations.end()) return;
    Citation citation{
        .document_id = part.document,
        .document = names_.Name(part.document),
        .page = std::nullopt,
        .page_label = {},
        .section = std::nullopt,
        .span = found->span,
        .quote = part.text.substr(found->span.begin - part.span.begin, found->span.size()),
        .score = part.score};
    if (auto page = library_.PageOf(part.document, found->span.begin)) {
      citation.page = page->number;
      citation.page_label = std::move(page->label);
    }
    auto [entry, is_new] = sections_.try_emplace(part.document);
    if (is_new) entry->second = library_.Sections(part.document);
    const std::string path = SectionPathAt(entry->second, found->span.begin);
    if (!path.empty()) citation.section = path;
    answer_.quoted_tokens += EstimateTokens(citation.quote);
    answer_.citations.push_back(std::move(citation));
  }

  bool Show(const std::string& text) {
    if (text.empty()) return true;
    answer_.text += text;
    return !sink_ || sink_(text);
  }

  Library& library_;
  const ModelAnswerOptions& options_;
  const std::vector<Shown::Part>& parts_;
  Answer& answer_;
  TextSink sink_;
  const WorkControl& control_;
  DocumentNames names_;
  std::vector<ShownText> texts_;  // of parts_
  std::map<DocumentId, std::vector<Section>> sections_;
  EvidenceParser parser_;
  size_t looked_up_ = 0;        // of its evidence
  std::map<int, int> numbers_;  // of the model's evidence, to citations
  std::optional<MarkRewriter> marks_;
  size_t dropped_ = 0;
};

// What was attended, where that was not everything, and what was asked of the model beyond its
// training.
void AddNotes(const Session& session, const ModelFacts& facts, Answer& answer) {
  if (const auto& sparse = session.memory().sparse()) answer.notes.push_back(NoteOf(sparse->use));
  if (auto note = NoteOf(LengthOf(facts, session.memory()))) {
    answer.notes.push_back(std::move(*note));
  }
}

// Chooses one way for all questions, and what the model is shown and asked for each.
std::vector<Conversation::Asked> Conversation::Prepare(std::span<const std::string> questions,
                                                       Way way, const WorkControl& control) {
  TOME_CHECK(way != Way::kQuotes);
  std::vector<Asked> all;
  for (const std::string& text : questions) {
    Asked& asked = all.emplace_back();
    asked.answer.question = CollapseWhiteSpace(NormalizeText(text));
    if (asked.answer.question.empty()) {
      throw Error(Code::kInvalidArgument, questions.size() == 1
                                              ? "the question is empty"
                                              : fmt::format("question {} is empty", all.size()));
    }
  }
  DocumentNames names(library_, documents_);
  const AskedSize size = SizeOf(library_, documents_, names);
  std::optional<std::string> why_passages;
  if (way == Way::kRetrieval && !whole_read_) why_passages = "asked for";
  for (Asked& asked : all) {
    if (why_passages) break;
    Choice choice;
    if (whole_read_) {
      choice = {.way = WholeWayOf(model_.model().facts()),
                .why = "the documents have been read already",
                .prompt = {}};
      asked.shown = ShowAll(asked.answer.question);
    } else {
      choice = Choose(way, size, asked.answer.question, asked.shown, control);
    }
    if (choice.way == Way::kRetrieval) why_passages = choice.why;
    asked.way = choice.way;
    asked.answer.why = choice.why;
    asked.prompt = std::move(choice.prompt);
  }
  const int64_t trained = model_.model().facts().trained_tokens;
  for (Asked& asked : all) {
    Answer& answer = asked.answer;
    answer.document_tokens = size.tokens;
    answer.document_characters = size.characters;
    if (why_passages) {
      asked.way = Way::kRetrieval;
      answer.why = *why_passages;
      asked.prompt.clear();
      asked.shown = ShowPassages(answer.question);
    }
    answer.way = NameOf(asked.way);
    answer.search_seconds = asked.shown.search_seconds;
    answer.read_characters = asked.shown.characters();
    if (asked.shown.parts.empty()) {
      answer.notes.emplace_back(
          "no passage holds any of the question's words, so the model was not asked");
      answer.text = NotFoundAnswer(LanguageOf(answer.question));
      continue;
    }
    if (asked.prompt.empty()) asked.prompt = Encode(asked.shown.prompt);
    answer.prompt_tokens = asked.prompt.size();
    const auto tokens = static_cast<int64_t>(asked.prompt.size());
    answer.kv_loss = LossFor(tokens);
    if (const auto note = TypeNoteFor(tokens, answer.kv_loss); note && turns_.empty()) {
      answer.notes.push_back(*note);
    }
    if (!options_.longer && options_.window == 0 &&
        static_cast<int64_t>(asked.prompt.size()) + options_.max_answer_tokens > trained) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("the prompt is {} tokens, the answer may take {}, "
                              "and the model was made for {}; lower --passage-tokens or "
                              "--max-tokens, or read beyond that with --longer",
                              asked.prompt.size(), options_.max_answer_tokens, trained));
    }
  }
  return all;
}

Answer Conversation::Ask(const std::string& question, Way way, const TextSink& sink,
                         const WorkControl& control) {
  Asked asked = std::move(Prepare({&question, 1}, way, control).front());
  Answer& answer = asked.answer;
  if (asked.prompt.empty()) {
    if (sink) sink(answer.text);
    return std::move(answer);
  }
  const auto start = Clock::now();
  Read(asked.prompt, asked, control);
  answer.read_seconds = SecondsSince(start);
  answer.restored_tokens = static_cast<uint64_t>(session_->restored());
  Recital recital(*this, asked, sink, control);
  const SessionWriting writing = recital.Of(*session_);
  recital.Finish(session_->Generate(writing.options, writing.sink));
  AddNotes(*session_, model_.model().facts(), answer);
  // A later question continues this one. Of passages only question and answer are kept; whole
  // documents stay in front, where their tokens are read already.
  whole_read_ = IsWhole(asked.way);
  turns_.push_back({.question = whole_read_ ? std::move(asked.shown.prompt) : answer.question,
                    .answer = answer.text});
  return std::move(answer);
}

// How many of the first questions are answered in the same passes: as many as the memory holds.
size_t Conversation::CountTogether(std::span<Asked* const> asked) const {
  const ModelFacts& facts = model_.model().facts();
  auto available = AvailableMemory();
  // What was read before is read on, or freed.
  if (available && session_) *available += session_->memory().bytes();
  std::vector<PromptTokens> prompts;
  for (const Asked* one : asked.first(std::min(asked.size(), kQuestionsTogether))) {
    prompts.emplace_back(one->prompt);
    // Each writes its answer into pages of its own, the first of which it may share no longer.
    const int64_t own = options_.max_answer_tokens + kKvPageTokens;
    const int64_t bytes =
        MemoryBytes(facts, KvTypeFor(facts, options_.kv, static_cast<int64_t>(one->prompt.size())),
                    DistinctTokens(prompts) + static_cast<int64_t>(prompts.size()) * own) +
        static_cast<int64_t>(prompts.size()) * RecurrentBytes(facts.recurrent);
    if (available && !options_.resident_bytes &&
        static_cast<double>(bytes) > kUsableMemory * static_cast<double>(*available)) {
      return std::max<size_t>(1, prompts.size() - 1);
    }
  }
  return prompts.size();
}

void Conversation::AnswerTogether(std::span<Asked* const> asked, const WorkControl& control) {
  std::vector<PromptTokens> prompts;
  for (const Asked* one : asked) prompts.emplace_back(one->prompt);
  const auto start = Clock::now();
  Read(prompts.front().first(static_cast<size_t>(CommonTokens(prompts))), *asked.front(), control);
  std::vector<Session> sessions = ReadPrompts(*session_, prompts, control);
  const double read_seconds = SecondsSince(start);
  std::deque<Recital> recitals;
  std::vector<SessionWriting> writings;
  for (size_t i = 0; i < asked.size(); ++i) {
    asked[i]->answer.read_seconds = read_seconds;
    asked[i]->answer.restored_tokens = static_cast<uint64_t>(session_->restored());
    recitals.emplace_back(*this, *asked[i], TextSink(), control);
    writings.push_back(recitals.back().Of(sessions[i]));
  }
  const std::vector<Generated> generated = GenerateTogether(writings);
  for (size_t i = 0; i < asked.size(); ++i) {
    recitals[i].Finish(generated[i]);
    AddNotes(sessions[i], model_.model().facts(), asked[i]->answer);
  }
}

std::vector<Answer> Conversation::AskTogether(std::span<const std::string> questions, Way way,
                                              const WorkControl& control) {
  std::vector<Asked> all = Prepare(questions, way, control);
  std::vector<Asked*> asked;
  for (Asked& one : all) {
    if (!one.prompt.empty()) asked.push_back(&one);
  }
  // Where not all can be answered in the same passes, those that share most should be.
  std::stable_sort(asked.begin(), asked.end(),
                   [](const Asked* a, const Asked* b) { return a->prompt < b->prompt; });
  for (std::span<Asked* const> rest = asked; !rest.empty();) {
    const size_t count = CountTogether(rest);
    AnswerTogether(rest.first(count), control);
    rest = rest.subspan(count);
  }
  std::vector<Answer> answers;
  for (Asked& one : all) answers.push_back(std::move(one.answer));
  return answers;
}

ReadAhead Conversation::ReadDocuments(const WorkControl& control) {
  TOME_CHECK(turns_.empty());
  DocumentNames names(library_, documents_);
  // Any question will do: all of them follow the documents.
  Asked asked;
  asked.answer.question = "?";
  asked.way = WholeWayOf(model_.model().facts());
  asked.prompt = Choose(asked.way, SizeOf(library_, documents_, names), asked.answer.question,
                        asked.shown, control)
                     .prompt;
  const auto start = Clock::now();
  Read(asked.prompt, asked, control);
  return {.tokens = static_cast<int64_t>(asked.prompt.size()),
          .restored = session_->restored(),
          .seconds = SecondsSince(start),
          .length = LengthOf(model_.model().facts(), session_->memory())};
}

}  // namespace tome
