#include "tome/answer/model_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <utility>

#include "tome/answer/document_names.h"
#include "tome/answer/evidence.h"
#include "tome/answer/prompt.h"
#include "tome/base/error.h"
#include "tome/retrieval/question.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What the kernel thinks can be had without swapping; nothing where it does not say.
std::optional<int64_t> AvailableMemory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  int64_t kib = 0;
  std::string unit;
  while (in >> key >> kib) {
    std::getline(in, unit);
    if (key == "MemAvailable:") return kib * 1024;
  }
  return std::nullopt;
}

// Enough to keep all threads at work, and soon over.
constexpr int64_t kMeasuredTokens = 32;

}  // namespace

std::string_view NameOf(Way way) {
  switch (way) {
    case Way::kAuto:
      return "auto";
    case Way::kQuotes:
      return "quotes";
    case Way::kContext:
      return "context";
    case Way::kRetrieval:
      return "retrieval";
  }
  return "";
}

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

Conversation::Conversation(Library& library, const LanguageModel& model,
                           std::vector<AskedDocument> documents, const ModelAnswerOptions& options)
    : library_(library), model_(model), documents_(std::move(documents)), options_(options) {}

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

// Linear work of 2P operations a token at the measured rate, and attention's 4·L·H·D·t at position
// t at the same rate.
double Conversation::SecondsToRead(int64_t tokens) {
  const ModelFacts& facts = model_.model().facts();
  if (seconds_per_token_ == 0) {
    Memory memory = model_.model().NewMemory({.kv = options_.kv, .max_tokens = kMeasuredTokens});
    const std::vector<TokenId> sample(static_cast<size_t>(kMeasuredTokens), 0);
    const BatchItem item{.memory = &memory, .tokens = sample, .logits = LogitsOf::kNone};
    // Once to bring the weights into memory, once to measure.
    model_.model().Forward({&item, 1}, model_.compute());
    memory.Truncate(0);
    const auto start = Clock::now();
    model_.model().Forward({&item, 1}, model_.compute());
    seconds_per_token_ = SecondsSince(start) / static_cast<double>(kMeasuredTokens);
  }
  const auto n = static_cast<double>(tokens);
  const double linear = 2 * static_cast<double>(facts.linear_parameters) * n;
  const double attention = 2 * static_cast<double>(facts.attention_width) * n * n;
  return seconds_per_token_ * n * (linear + attention) / linear;
}

// kContext comes with what is shown and its tokens.
Conversation::Choice Conversation::Choose(Way way, const AskedSize& size,
                                          const std::string& question, Shown& shown) {
  const ModelFacts& facts = model_.model().facts();
  const auto refuse = [&](Code code, const std::string& reason) -> Choice {
    if (way == Way::kContext) {
      throw Error(code, fmt::format("{}; use --way retrieval", reason));
    }
    return {.way = Way::kRetrieval,
            .why = fmt::format("the best passages are read, because {}", reason),
            .prompt = {}};
  };
  if (documents_.empty()) {
    return refuse(Code::kInvalidArgument,
                  "no documents were named, and the whole library is asked");
  }
  // An estimate first: reading and encoding ten million characters to learn that they do not fit
  // takes a while.
  constexpr uint64_t kEstimateMargin = 4;
  if (size.tokens / kEstimateMargin > static_cast<uint64_t>(facts.trained_tokens)) {
    return refuse(Code::kInvalidArgument,
                  fmt::format("the documents are about {} tokens and the model was made for {}",
                              size.tokens, facts.trained_tokens));
  }
  shown = ShowAll(question);
  std::vector<TokenId> prompt = Encode(shown.prompt);
  const auto tokens = static_cast<int64_t>(prompt.size());
  if (tokens + options_.max_answer_tokens > facts.trained_tokens) {
    return refuse(
        Code::kInvalidArgument,
        fmt::format("documents and question are {} tokens, the answer may take {}, and the "
                    "model was made for {}",
                    tokens, options_.max_answer_tokens, facts.trained_tokens));
  }
  const int64_t bytes = KvBytes(facts.kv, options_.kv.value_or(facts.kv_type), tokens);
  constexpr double kUsableShare = 0.8;  // the rest is for the weights' pages and everything else
  const auto available = AvailableMemory();
  if (available && static_cast<double>(bytes) > kUsableShare * static_cast<double>(*available)) {
    return refuse(Code::kOutOfMemory,
                  fmt::format("remembering {} tokens takes {} MiB and {} MiB are free", tokens,
                              bytes >> 20, *available >> 20));
  }
  if (way == Way::kContext) return {.way = way, .why = "asked for", .prompt = std::move(prompt)};
  const double seconds = SecondsToRead(tokens);
  if (seconds > options_.budget_seconds) {
    return refuse(Code::kInvalidArgument,
                  fmt::format("reading all {} tokens would take about {:.0f} s, and the budget is "
                              "{:.0f} s (--budget)",
                              tokens, seconds, options_.budget_seconds));
  }
  return {.way = Way::kContext,
          .why = fmt::format("all {} tokens of the documents are read: they fit the model's {} and "
                             "take about {:.1f} s",
                             tokens, facts.trained_tokens, seconds),
          .prompt = std::move(prompt)};
}

// Brings the session to hold the prompt, reading only what it does not hold already.
void Conversation::Read(std::span<const TokenId> prompt, const WorkControl& control) {
  const int64_t needed = static_cast<int64_t>(prompt.size()) + options_.max_answer_tokens;
  if (!session_ || session_->memory().max_tokens() < needed) {
    const int64_t max_tokens = std::max(needed, model_.model().facts().trained_tokens);
    session_.emplace(model_.model(), model_.tokenizer(), model_.compute(),
                     model_.model().NewMemory({.kv = options_.kv,
                                               .max_tokens = max_tokens,
                                               .attention_mass = options_.attention_mass}));
  }
  const auto held = session_->tokens();
  const auto [mine, theirs] = std::mismatch(prompt.begin(), prompt.end(), held.begin(), held.end());
  // At least one token is read: its logits choose the first of the answer.
  const auto kept =
      std::min<int64_t>(mine - prompt.begin(), static_cast<int64_t>(prompt.size()) - 1);
  session_->Truncate(kept);
  session_->Prefill(prompt.subspan(static_cast<size_t>(kept)), control);
}

void Conversation::Write(const Shown& shown, Answer& answer, const TextSink& sink,
                         const WorkControl& control) {
  std::vector<ShownText> texts;
  for (const Shown::Part& part : shown.parts) {
    texts.push_back({.text = part.text, .begin = part.span.begin});
  }
  DocumentNames names(library_, documents_);
  std::map<DocumentId, std::vector<Section>> sections;
  EvidenceParser parser;
  std::map<int, int> numbers;  // of the model's evidence, to citations
  std::optional<MarkRewriter> marks;
  size_t dropped = 0;

  const auto cite = [&](const EvidenceLine& line) {
    const auto found = FindQuote(line.quote, texts);
    if (!found) {
      ++dropped;
      return;
    }
    const Shown::Part& part = shown.parts[found->shown];
    const auto same = std::find_if(
        answer.citations.begin(), answer.citations.end(), [&](const Citation& citation) {
          return citation.document_id == part.document && citation.span == found->span;
        });
    numbers[line.number] = static_cast<int>(same - answer.citations.begin()) + 1;
    if (same != answer.citations.end()) return;
    Citation citation{
        .document_id = part.document,
        .document = names.Name(part.document),
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
    auto [entry, is_new] = sections.try_emplace(part.document);
    if (is_new) entry->second = library_.Sections(part.document);
    const std::string path = SectionPathAt(entry->second, found->span.begin);
    if (!path.empty()) citation.section = path;
    answer.quoted_tokens += EstimateTokens(citation.quote);
    answer.citations.push_back(std::move(citation));
  };
  const auto show = [&](const std::string& text) {
    if (text.empty()) return true;
    answer.text += text;
    return !sink || sink(text);
  };
  size_t looked_up = 0;
  const TextSink take = [&](std::string_view text) {
    const std::string part = parser.Push(text);
    for (; looked_up < parser.evidence().size(); ++looked_up) cite(parser.evidence()[looked_up]);
    if (parser.not_found()) return false;
    if (!parser.in_answer()) return true;
    if (answer.citations.empty()) return false;  // an answer that rests on nothing
    if (!marks) marks.emplace(numbers);
    return show(marks->Push(part));
  };
  const Generated generated = session_->Generate({.sampling = options_.sampling,
                                                  .max_tokens = options_.max_answer_tokens,
                                                  .stops = {},
                                                  .speculation = options_.speculation,
                                                  .stop = control.stop},
                                                 take);
  parser.Finish();
  for (; looked_up < parser.evidence().size(); ++looked_up) cite(parser.evidence()[looked_up]);
  if (marks) show(marks->Finish());
  answer.generated_tokens = generated.tokens.size();
  answer.generate_seconds = generated.seconds;

  if (dropped > 0) {
    answer.notes.push_back(fmt::format(
        "{} of the model's {} quotes do not stand in what it was shown and were dropped", dropped,
        parser.evidence().size()));
  }
  if (generated.finish == FinishReason::kMaxTokens) {
    answer.notes.push_back(fmt::format("the answer ended at the limit of {} tokens (--max-tokens)",
                                       options_.max_answer_tokens));
  }
  if (generated.finish == FinishReason::kCancelled) control.CheckStop();
  const bool answered = parser.in_answer() && !answer.citations.empty();
  if (answered) return;
  if (parser.not_found()) {
    answer.citations.clear();
    answer.notes.emplace_back("the model found no answer in what it read");
  } else if (answer.citations.empty()) {
    answer.notes.emplace_back(
        "the model gave no sentence of the document as evidence, so its words are not shown");
  } else {
    answer.notes.emplace_back("the model quoted the document and gave no answer");
    return;
  }
  answer.text.clear();
  show(NotFoundAnswer(LanguageOf(answer.question)));
}

Answer Conversation::Ask(const std::string& question_text, Way way, const TextSink& sink,
                         const WorkControl& control) {
  TOME_CHECK(way != Way::kQuotes);
  const std::string question = CollapseWhiteSpace(NormalizeText(question_text));
  if (question.empty()) throw Error(Code::kInvalidArgument, "the question is empty");
  DocumentNames names(library_, documents_);
  const AskedSize size = SizeOf(library_, documents_, names);
  Answer answer;
  answer.question = question;
  answer.document_tokens = size.tokens;
  answer.document_characters = size.characters;

  Choice choice{.way = Way::kRetrieval, .why = "asked for", .prompt = {}};
  Shown shown;
  if (whole_read_) {
    choice = {.way = Way::kContext, .why = "the documents have been read already", .prompt = {}};
    shown = ShowAll(question);
  } else if (way != Way::kRetrieval) {
    choice = Choose(way, size, question, shown);
  }
  if (choice.way == Way::kRetrieval) shown = ShowPassages(question);
  answer.way = NameOf(choice.way);
  answer.why = choice.why;
  answer.search_seconds = shown.search_seconds;
  answer.read_characters = shown.characters();
  if (shown.parts.empty()) {
    answer.notes.emplace_back(
        "no passage holds any of the question's words, so the model was not asked");
    answer.text = NotFoundAnswer(LanguageOf(question));
    if (sink) sink(answer.text);
    return answer;
  }
  const std::vector<TokenId> prompt =
      choice.prompt.empty() ? Encode(shown.prompt) : std::move(choice.prompt);
  answer.prompt_tokens = prompt.size();
  const int64_t trained = model_.model().facts().trained_tokens;
  if (static_cast<int64_t>(prompt.size()) + options_.max_answer_tokens > trained) {
    throw Error(Code::kInvalidArgument,
                fmt::format("the prompt is {} tokens, the answer may take {}, "
                            "and the model was made for {}; lower --passage-tokens or --max-tokens",
                            prompt.size(), options_.max_answer_tokens, trained));
  }
  const auto start = Clock::now();
  Read(prompt, control);
  answer.read_seconds = SecondsSince(start);
  Write(shown, answer, sink, control);
  if (session_->memory().sparse()) {
    answer.notes.push_back(NoteOf(session_->memory().sparse()->use));
  }
  // A later question continues this one. Of passages only question and answer are kept; whole
  // documents stay in front, where their tokens are read already.
  whole_read_ = choice.way == Way::kContext;
  turns_.push_back({.question = whole_read_ ? shown.prompt : question, .answer = answer.text});
  return answer;
}

}  // namespace tome
