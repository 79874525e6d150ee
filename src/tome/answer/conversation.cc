#include "tome/answer/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include "tome/answer/attention_reading.h"
#include "tome/answer/evidence.h"
#include "tome/answer/writing.h"
#include "tome/base/error.h"
#include "tome/generate/shared_prompts.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Most questions answered in the same passes. The fewer rows a matrix product has, the cheaper one
// more row is.
constexpr size_t kQuestionsTogether = 16;
// Longest answer from evidence alone.
constexpr int64_t kEvidenceAnswerTokens = 64;
// Sentences whose likelihood is measured where attention is not.
constexpr size_t kLikelySentences = 12;

std::vector<std::string_view> TextsOf(const Sources& sources) {
  std::vector<std::string_view> texts;
  for (const SourceText& part : sources.parts) texts.push_back(part.text);
  return texts;
}

// Adds notes on what sparse attention attended and on a text beyond the model's training.
void AddNotes(const Session& session, const ModelFacts& facts, Answer& answer) {
  if (const auto& sparse = session.memory().sparse()) answer.notes.push_back(NoteOf(sparse->use));
  if (auto note = NoteOf(LengthOf(facts, session.memory()))) {
    answer.notes.push_back(std::move(*note));
  }
}

}  // namespace

struct Conversation::Pending {
  Answer answer;
  Way way = Way::kRetrieval;
  Sources sources;
  std::string message;          // the user's message
  std::vector<TokenId> prompt;  // empty: there is nothing to ask the model about
  std::vector<EvidenceSentence> sentences;
};

Conversation::Conversation(Library& library, const MeasuredModel& model,
                           std::vector<NamedDocument> documents, const ModelAnswerOptions& options)
    : library_(library),
      measurements_(model.measurements),
      model_(model.model),
      documents_(std::move(documents)),
      options_(options),
      limits_(TokenLimitsFor(model_.model().facts(), options.limits,
                             options.memory.longer || options.memory.window > 0
                                 ? BeyondContext::kYes
                                 : BeyondContext::kNo)),
      answer_model_(model_),
      reader_(library_, model, documents_, options_, limits_) {
  if (options_.memory.kv) KnownKvLoss(measurements_, model_, *options_.memory.kv);
}

Conversation::~Conversation() = default;

std::optional<KvLoss> Conversation::LossFor(int64_t tokens) const {
  return KnownKvLoss(measurements_, model_,
                     KvTypeFor(model_.model().facts(), options_.memory.kv, tokens));
}

std::optional<Note> Conversation::TypeNoteFor(int64_t tokens,
                                              const std::optional<KvLoss>& loss) const {
  const std::optional<KvType>& kv = options_.memory.kv;
  return NoteOfType(kv, KvTypeFor(model_.model().facts(), kv, tokens), loss);
}

const Ability& Conversation::AbilityFor(PromptLanguage language, const WorkControl& control) {
  const auto known = abilities_.find(language);
  if (known != abilities_.end()) return known->second;
  if (options_.amount == EvidenceAmount::kText) {
    // No result of a test matters for an answer from the text.
    return abilities_
        .emplace(
            language,
            Ability{.heads = {}, .amount = EvidenceAmount::kText, .reliable_tokens = kAnyLength})
        .first->second;
  }
  const std::string model = model_.FilesKey().ToString();
  const std::string_view name = NameOf(language);
  std::optional<Ability> ability;
  if (const auto kept = measurements_.AbilityOf(model, name)) ability = AbilityFromText(*kept);
  if (ability && !HasHeadsOf(*ability, model_.model().facts())) ability.reset();
  if (!ability) {
    ability = TestAbility(model_, language, control);
    measurements_.KeepAbility(model, name, ToText(*ability));
  }
  if (options_.amount) ability->amount = *options_.amount;
  return abilities_.emplace(language, std::move(*ability)).first->second;
}

std::string Conversation::WholeMessage(const std::string& question, const Sources& sources) {
  if (whole_read_) return FollowUpPromptOf(question);
  const std::vector<std::string_view> texts = TextsOf(sources);
  return PromptOf(question, texts);
}

std::vector<TokenId> Conversation::Encode(const std::string& message) const {
  // Texts stand in the first message, so that later questions find them read already.
  std::vector<ChatMessage> messages;
  for (const Turn& turn : turns_) {
    messages.push_back({.role = "user", .content = turn.question});
    messages.push_back({.role = "assistant", .content = turn.answer});
  }
  messages.push_back({.role = "user", .content = message});
  return model_.EncodeChat(messages);
}

int64_t Conversation::TokensBeforeQuestion(std::span<const TokenId> prompt,
                                           const std::string& question) const {
  const std::vector<TokenId> words = Encode(PromptOf(question, {}));
  const auto common = std::mismatch(prompt.rbegin(), prompt.rend(), words.rbegin(), words.rend());
  return prompt.rend() - common.first;
}

PromptBeginning Conversation::BeginningOf(const Pending& pending) const {
  PromptBeginning beginning{.documents_whole = ReadsWholeDocuments(pending.way)};
  if (options_.store != nullptr && beginning.documents_whole && turns_.empty()) {
    beginning.before_question = TokensBeforeQuestion(pending.prompt, pending.answer.question);
  }
  return beginning;
}

Session& Conversation::Read(std::span<const TokenId> prompt, Pending& pending,
                            const WorkControl& control) {
  const auto start = Clock::now();
  reader_.Read(prompt, BeginningOf(pending), control);
  Session& session = *reader_.session();
  pending.answer.read_seconds = SecondsSince(start);
  pending.answer.restored_tokens = static_cast<uint64_t>(session.restored());
  return session;
}

// Chooses one way for all questions, and makes the sources and the prompt of each.
std::vector<Conversation::Pending> Conversation::Prepare(std::span<const std::string> questions,
                                                         Way way, const WorkControl& control) {
  TOME_CHECK(way != Way::kQuotes && way != Way::kSurvey);
  std::vector<Pending> all;
  for (const std::string& text : questions) {
    Pending& pending = all.emplace_back();
    pending.answer.question = CollapseWhiteSpace(NormalizeText(text));
    if (pending.answer.question.empty()) {
      throw Error(Code::kInvalidArgument, questions.size() == 1
                                              ? "the question is empty"
                                              : fmt::format("question {} is empty", all.size()));
    }
  }
  DocumentNames names(library_, documents_);
  const DocumentsSize size = SizeOf(library_, documents_, names);
  std::optional<Note> why_passages;
  if (way == Way::kRetrieval && !whole_read_) why_passages = Note("asked for");
  for (Pending& pending : all) {
    if (why_passages) break;
    if (whole_read_) {
      pending.way = WholeWayOf(model_.model().facts());
      pending.answer.why = {"the documents have been read already"};
      pending.sources = WholeDocuments(library_, documents_);
      continue;
    }
    Choice choice = Choose(way, size, pending.answer.question, control);
    if (choice.way == Way::kRetrieval) why_passages = choice.why;
    pending.way = choice.way;
    pending.answer.why = std::move(choice.why);
    pending.sources = std::move(choice.sources);
    pending.prompt = std::move(choice.prompt);
  }
  for (Pending& pending : all) {
    pending.answer.document_tokens = size.tokens;
    pending.answer.document_characters = size.characters;
    if (why_passages) {
      pending.way = Way::kRetrieval;
      pending.answer.why = *why_passages;
      pending.prompt.clear();
    }
    MakePrompt(pending, control);
  }
  return all;
}

CountTokensOf Conversation::CountTokensWith() const {
  return [this](std::string_view text) {
    return static_cast<int64_t>(
        model_.tokenizer().Encode(text, Specials::kLiteral, {.add_special = false}).size());
  };
}

// Makes the prompt of a question whose way is chosen, and the notes on it.
void Conversation::MakePrompt(Pending& pending, const WorkControl& control) {
  Answer& answer = pending.answer;
  const Ability& ability = AbilityFor(LanguageOf(answer.question), control);
  if (pending.way == Way::kRetrieval) {
    const int64_t most = ability.amount == EvidenceAmount::kText
                             ? limits_.passage_tokens
                             : std::min(limits_.passage_tokens, kRankedTokens);
    pending.sources = FindPassages(library_, documents_, answer.question, most, CountTokensWith(),
                                   options_.dense);
  }
  answer.way = NameOf(pending.way);
  answer.search_seconds = pending.sources.search_seconds;
  answer.read_characters = pending.sources.characters();
  if (pending.sources.parts.empty()) {
    answer.notes.emplace_back(
        "no passage holds any of the question's words, so the model was not asked");
    answer.support = Support::kNone;
    return;
  }
  pending.message = ReadsWholeDocuments(pending.way)
                        ? WholeMessage(answer.question, pending.sources)
                        : PromptOf(answer.question, TextsOf(pending.sources));
  if (pending.prompt.empty()) pending.prompt = Encode(pending.message);
  DropTurns(pending);
  answer.prompt_tokens = pending.prompt.size();
  const auto tokens = static_cast<int64_t>(pending.prompt.size());
  answer.kv_loss = LossFor(tokens);
  if (const auto note = TypeNoteFor(tokens, answer.kv_loss); note && turns_.empty()) {
    answer.notes.push_back(*note);
  }
}

// Drops the oldest turns where the conversation has outgrown the model, but not the turn that holds
// the documents.
void Conversation::DropTurns(Pending& pending) {
  if (options_.memory.longer || options_.memory.window > 0) return;
  const int64_t trained = model_.model().facts().trained_tokens;
  const auto fits = [&] {
    return static_cast<int64_t>(pending.prompt.size()) + limits_.answer_tokens <= trained;
  };
  const size_t first = whole_read_ ? 1 : 0;
  size_t dropped = 0;
  while (!fits() && turns_.size() > first) {
    turns_.erase(turns_.begin() + static_cast<int64_t>(first));
    ++dropped;
    pending.prompt = Encode(pending.message);
  }
  if (dropped > 0) {
    pending.answer.notes.push_back(fmt::format(
        "the conversation outgrew the model's {} tokens: its {} oldest questions were dropped",
        trained, dropped));
  }
  if (!fits()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("the prompt is {} tokens, the answer may take {}, and the model was "
                            "made for {}",
                            pending.prompt.size(), limits_.answer_tokens, trained),
                {Advice::Lower(Setting::kPassageTokens), Advice::Lower(Setting::kMaxTokens),
                 Advice::Use(Setting::kLonger, {}, "which reads beyond that")});
  }
}

// Measures how well each sentence answers, with every measure that this model and way allow.
void Conversation::RankEvidence(Pending& pending, const Ability& ability, ComputedTokens& computed,
                                const WorkControl& control) {
  const std::string& question = pending.answer.question;
  const auto before = static_cast<size_t>(TokensBeforeQuestion(pending.prompt, question));
  const std::span<const TokenId> prompt = pending.prompt;
  Session* whole = nullptr;  // the session that has read the documents
  if (ReadsWholeDocuments(pending.way)) {
    whole = &Read(prompt.first(before), pending, control);
    computed.read += static_cast<int64_t>(before) - whole->restored();
  }
  const bool readable = static_cast<int64_t>(prompt.size()) <= ReadableTokens(ability);
  if (!readable) {
    pending.sources = FindPassages(library_, documents_, question, kRankedTokens, CountTokensWith(),
                                   options_.dense);
  }
  pending.sentences = SentencesOf(pending.sources, library_);
  Analyzer analyzer;
  ScoreWords(question, pending.sources.idf, analyzer, pending.sentences);
  ScoreEvidence(pending.sentences);
  std::vector<std::string_view> texts;
  for (const EvidenceSentence& sentence : pending.sentences) {
    const SourceText& part = pending.sources.parts[sentence.part];
    texts.push_back(std::string_view(part.text).substr(sentence.span.begin - part.span.begin,
                                                       sentence.span.size()));
  }
  bool attended = false;
  if (readable && whole != nullptr) {
    attended = ScoreAttention(model_, ability.heads, question, *whole, prompt, texts,
                              pending.sentences, computed, control);
  } else if (!ability.heads.empty()) {
    const std::vector<TokenId> tokens =
        EncodeMessage(model_, PromptOf(question, TextsOf(pending.sources)));
    Session base = NewSession(model_, static_cast<int64_t>(tokens.size()) + 64);
    const auto start = Clock::now();
    const auto first =
        std::span(tokens).first(static_cast<size_t>(TokensBeforeQuestion(tokens, question)));
    base.Prefill(first, {.stop = control.stop, .progress = {}});
    pending.answer.read_seconds += SecondsSince(start);
    computed.read += static_cast<int64_t>(first.size());
    attended = ScoreAttention(model_, ability.heads, question, base, tokens, texts,
                              pending.sentences, computed, control);
  }
  if (!attended) {
    ScoreLikelihood(answer_model_, question, kLikelySentences, pending.sentences, computed,
                    control);
  }
  ScoreEvidence(pending.sentences);
}

void Conversation::AnswerFromEvidence(Pending& pending, const WorkControl& control) {
  Answer& answer = pending.answer;
  const Ability& ability = AbilityFor(LanguageOf(answer.question), control);
  ComputedTokens computed;
  RankEvidence(pending, ability, computed, control);
  if (ReadsWholeDocuments(pending.way))
    AddNotes(*reader_.session(), model_.model().facts(), answer);
  if (pending.sentences.empty()) {
    answer.notes.emplace_back("what was found holds no sentence to answer from");
    answer.support = Support::kNone;
    return;
  }
  const auto start = Clock::now();
  const WrittenAnswer written =
      WriteFromEvidence(answer_model_, ability, answer.question, pending.sentences,
                        {.sampling = options_.sampling,
                         .max_tokens = std::min(limits_.answer_tokens, kEvidenceAnswerTokens)},
                        computed, control);
  answer.generate_seconds = SecondsSince(start);
  answer.generated_tokens = static_cast<uint64_t>(computed.written);
  answer.computed_tokens = static_cast<uint64_t>(computed.read + computed.written);
  NewJudge().JudgeWritten(written, pending.sources, pending.sentences, answer);
}

bool Conversation::WritesFromText(const Pending& pending, const WorkControl& control) {
  const Ability& ability = AbilityFor(LanguageOf(pending.answer.question), control);
  return ability.amount == EvidenceAmount::kText;
}

ReplyOptions Conversation::OptionsOf(const Pending& pending) const {
  return {.sampling = options_.sampling,
          .max_tokens = limits_.answer_tokens,
          .speculation = options_.speculation,
          .begins_thinking = EndsThinking(model_.tokenizer(), pending.prompt)};
}

AnswerJudge Conversation::NewJudge() const {
  return {library_, documents_, CountTokensWith(), options_.strict};
}

void Conversation::AnswerFromText(Pending& pending, const TextSink& sink,
                                  const WorkControl& control) {
  Answer& answer = pending.answer;
  Session& session = Read(pending.prompt, pending, control);
  // A sentence that may be removed at the end must not be shown before.
  ModelReply reply(answer, OptionsOf(pending), options_.strict ? TextSink() : sink, control);
  const SessionWriting writing = reply.Of(session);
  reply.Finish(session.Generate(writing.options, writing.sink));
  answer.computed_tokens = answer.prompt_tokens - answer.restored_tokens + answer.generated_tokens;
  NewJudge().JudgeReply(pending.sources, answer);
  AddNotes(session, model_.model().facts(), answer);
  // A later question continues this one. The turn holds whole documents, which stay in front, where
  // their tokens are read already. It does not hold passages.
  whole_read_ = ReadsWholeDocuments(pending.way);
  turns_.push_back({.question = whole_read_ ? std::move(pending.message) : answer.question,
                    .answer = answer.text});
}

Answer Conversation::Ask(const std::string& question, Way way, const TextSink& sink,
                         const WorkControl& control) {
  if (std::optional<Note> why = WhySurvey(question, way, control)) {
    return AnswerBySurvey(question, std::move(*why), control);
  }
  Pending pending = std::move(Prepare({&question, 1}, way, control).front());
  if (pending.prompt.empty()) return std::move(pending.answer);
  if (WritesFromText(pending, control)) {
    AnswerFromText(pending, sink, control);
  } else {
    AnswerFromEvidence(pending, control);
  }
  return std::move(pending.answer);
}

// Returns how many of the first questions are answered in the same passes, as memory allows.
size_t Conversation::CountTogether(std::span<Pending* const> pending) const {
  const ModelFacts& facts = model_.model().facts();
  auto available = AvailableMemory();
  // The memory of the last prompt is read on or freed, so it counts as available.
  if (available && reader_.session() != nullptr) {
    *available += reader_.session()->memory().bytes();
  }
  std::vector<PromptTokens> prompts;
  for (const Pending* one : pending.first(std::min(pending.size(), kQuestionsTogether))) {
    prompts.emplace_back(one->prompt);
    // Each question writes its answer into pages of its own. The first one may be a copy of a
    // shared page.
    const int64_t own = limits_.answer_tokens + kKvPageTokens;
    const KvType kv =
        KvTypeFor(facts, options_.memory.kv, static_cast<int64_t>(one->prompt.size()));
    const int64_t bytes =
        MemoryBytes(facts, kv,
                    DistinctTokens(prompts) + static_cast<int64_t>(prompts.size()) * own) +
        static_cast<int64_t>(prompts.size()) * RecurrentBytes(facts.recurrent);
    if (available && !options_.memory.resident_bytes &&
        static_cast<double>(bytes) > kUsableMemory * static_cast<double>(*available)) {
      return std::max<size_t>(1, prompts.size() - 1);
    }
  }
  return prompts.size();
}

void Conversation::AnswerTogether(std::span<Pending* const> pending, const WorkControl& control) {
  std::vector<PromptTokens> prompts;
  for (const Pending* one : pending) prompts.emplace_back(one->prompt);
  const auto start = Clock::now();
  const Session& session = Read(prompts.front().first(static_cast<size_t>(CommonTokens(prompts))),
                                *pending.front(), control);
  std::vector<Session> sessions = ReadPrompts(session, prompts, control);
  const double read_seconds = SecondsSince(start);
  std::deque<ModelReply> replies;  // a deque, because a reply must not move
  std::vector<SessionWriting> writings;
  for (size_t i = 0; i < pending.size(); ++i) {
    pending[i]->answer.read_seconds = read_seconds;
    pending[i]->answer.restored_tokens = static_cast<uint64_t>(session.restored());
    replies.emplace_back(pending[i]->answer, OptionsOf(*pending[i]), TextSink(), control);
    writings.push_back(replies.back().Of(sessions[i]));
  }
  const std::vector<Generated> generated = GenerateTogether(writings);
  AnswerJudge judge = NewJudge();
  for (size_t i = 0; i < pending.size(); ++i) {
    replies[i].Finish(generated[i]);
    judge.JudgeReply(pending[i]->sources, pending[i]->answer);
    AddNotes(sessions[i], model_.model().facts(), pending[i]->answer);
  }
}

std::vector<Answer> Conversation::AskTogether(std::span<const std::string> questions, Way way,
                                              const WorkControl& control) {
  if (way == Way::kSurvey) {
    std::vector<Answer> surveyed;
    for (const std::string& question : questions) {
      surveyed.push_back(AnswerBySurvey(question, {"asked for"}, control));
    }
    return surveyed;
  }
  std::vector<Pending> all = Prepare(questions, way, control);
  std::vector<Pending*> together;
  for (Pending& pending : all) {
    if (pending.prompt.empty()) continue;
    if (WritesFromText(pending, control)) {
      together.push_back(&pending);
    } else {
      AnswerFromEvidence(pending, control);
    }
  }
  // Questions that share the longest beginnings come together, where not all fit the same passes.
  std::stable_sort(together.begin(), together.end(),
                   [](const Pending* a, const Pending* b) { return a->prompt < b->prompt; });
  for (std::span<Pending* const> rest = together; !rest.empty();) {
    const size_t count = CountTogether(rest);
    AnswerTogether(rest.first(count), control);
    rest = rest.subspan(count);
  }
  std::vector<Answer> answers;
  for (Pending& pending : all) answers.push_back(std::move(pending.answer));
  return answers;
}

DocumentReading Conversation::ReadDocuments(const WorkControl& control) {
  TOME_CHECK(turns_.empty());
  DocumentNames names(library_, documents_);
  // Any question will do, because every question follows the documents.
  Pending pending;
  pending.answer.question = "?";
  pending.way = WholeWayOf(model_.model().facts());
  pending.prompt =
      Choose(pending.way, SizeOf(library_, documents_, names), pending.answer.question, control)
          .prompt;
  const Session& session = Read(pending.prompt, pending, control);
  return {.tokens = static_cast<int64_t>(pending.prompt.size()),
          .restored = session.restored(),
          .seconds = pending.answer.read_seconds,
          .length = LengthOf(model_.model().facts(), session.memory())};
}

}  // namespace tome
