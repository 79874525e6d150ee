#include "tome/answer/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tome/answer/ability.h"
#include "tome/answer/citing.h"
#include "tome/answer/document_names.h"
#include "tome/answer/evidence.h"
#include "tome/answer/prompt.h"
#include "tome/answer/support.h"
#include "tome/answer/synthetic_facts.h"
#include "tome/answer/writing.h"
#include "tome/base/error.h"
#include "tome/retrieval/duplicates.h"
#include "tome/text/han_folding.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Raise it when windows, wording or judging change: older notes are made anew.
constexpr int kSurveyVersion = 1;
// Most sentences of a summary.
constexpr size_t kMostSummary = 6;
// Most sentences that are cited for a list or a count.
constexpr size_t kMostCited = 40;
// Longest sentence of a summary, in tokens.
constexpr int64_t kNoteTokens = 64;
// Text in one message, in windows. A single sentence may be longer than a window.
constexpr uint64_t kMostWindows = 2;

// One thing that a window says, and the sentences of the document that say so.
struct NoteItem {
  std::string text;
  std::vector<TextSpan> evidence;
  Support support = Support::kPartly;
  double score = 0;
};
using Items = std::vector<NoteItem>;

// `of` is the text that a note of notes was made of; empty for notes of windows.
std::string ToText(const Items& items, std::string_view of) {
  nlohmann::json all = nlohmann::json::array();
  for (const NoteItem& item : items) {
    nlohmann::json evidence = nlohmann::json::array();
    for (const TextSpan& span : item.evidence) evidence.push_back({span.begin, span.end});
    all.push_back({{"text", item.text},
                   {"evidence", std::move(evidence)},
                   {"support", static_cast<int>(item.support)},
                   {"score", item.score}});
  }
  return nlohmann::json{{"of", of}, {"items", std::move(all)}}.dump();
}

// Returns no value for a damaged note, for one of another text, and for one whose evidence lies
// beyond the document: the note is made again.
std::optional<Items> ItemsFromText(std::string_view text, std::string_view of,
                                   uint64_t text_bytes) {
  const nlohmann::json note = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    if (note.is_discarded() || note.at("of").get<std::string>() != of) return std::nullopt;
    Items items;
    for (const nlohmann::json& each : note.at("items")) {
      NoteItem& item = items.emplace_back();
      item.text = each.at("text").get<std::string>();
      item.score = each.at("score").get<double>();
      const int support = each.at("support").get<int>();
      if (support < 0 || support > static_cast<int>(Support::kNone)) return std::nullopt;
      item.support = static_cast<Support>(support);
      for (const nlohmann::json& span : each.at("evidence")) {
        item.evidence.push_back(
            {.begin = span.at(0).get<uint64_t>(), .end = span.at(1).get<uint64_t>()});
        const TextSpan& last = item.evidence.back();
        if (last.begin >= last.end || last.end > text_bytes) return std::nullopt;
      }
      if (item.evidence.empty()) return std::nullopt;
    }
    return items;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string SummaryPrompt(std::string_view text, PromptLanguage language) {
  return fmt::format("{}\n\n{}", text,
                     language == PromptLanguage::kChinese
                         ? "请用一句话概括上面的文字。"
                         : "Summarise the text above in one sentence.");
}

// A document that is surveyed.
struct Surveyed {
  DocumentRecord record;
  std::string text;
  std::vector<Window> windows;
  std::vector<std::optional<Items>> notes;  // by window; no value: not read yet
};

class Surveyor {
 public:
  Surveyor(Library& library, const AnswerModel& model, const SurveyOptions& options, Answer& answer,
           const WorkControl& control)
      : library_(library),
        model_(model),
        options_(options),
        answer_(answer),
        control_(control),
        language_(LanguageOf(answer.question)),
        // Every summary in one language is made of the same notes.
        key_(fmt::format("{}|{}|{}|{}|{}|{}", kSurveyVersion, options.model_key,
                         NameOf(options.whole.kind), NameOf(language_), options.window.tokens,
                         summarises() ? "" : answer.question)) {}

  Surveyed Open(DocumentId id) {
    Surveyed document;
    document.record = library_.Show(id);
    document.text = library_.Text(id);
    document.windows = CutWindows(document.text, library_.Sections(id), document.record.line_breaks,
                                  library_.store().documents().PassagesOf(document.record),
                                  options_.window, control_);
    for (const Window& window : document.windows) {
      const auto kept = library_.store().notes().Find(
          {.document = id, .survey = key_, .level = 0, .span = window.span});
      document.notes.push_back(kept ? ItemsFromText(*kept, "", document.text.size())
                                    : std::optional<Items>());
    }
    return document;
  }

  // Reads a window and keeps its note.
  void Read(Surveyed& document, size_t index) {
    const TextSpan span = document.windows[index].span;
    Items items = NotesOf(document, span);
    library_.store().notes().Keep(
        {.document = document.record.id, .survey = key_, .level = 0, .span = span},
        ToText(items, ""));
    document.notes[index] = std::move(items);
  }

  // Combines the notes of a document until at most `most` are left.
  Items Combine(const Surveyed& document, Items items, size_t most) {
    for (int64_t level = 1; items.size() > most; ++level) {
      Items next;
      const size_t group = std::max<size_t>(2, (items.size() + most - 1) / most);
      for (size_t begin = 0; begin < items.size();) {
        control_.CheckStop();
        size_t end = begin;
        uint64_t tokens = 0;
        while (end < items.size() && end - begin < group &&
               (end - begin < 2 || tokens < options_.window.tokens)) {
          tokens += EstimateTokens(items[end++].text);
        }
        const std::span<const NoteItem> combined = std::span(items).subspan(begin, end - begin);
        next.push_back(combined.size() == 1 ? combined.front()
                                            : CombineGroup(document, combined, level));
        begin = end;
      }
      items = std::move(next);
    }
    return items;
  }

  ComputedTokens computed() const { return computed_; }
  size_t cut_windows() const { return cut_windows_; }

 private:
  bool summarises() const { return options_.whole.kind == WholeKind::kSummary; }

  Items NotesOf(const Surveyed& document, const TextSpan& span) {
    Sources sources;
    sources.parts.push_back({.document = document.record.id,
                             .span = span,
                             .text = document.text.substr(span.begin, span.size()),
                             .section = {},
                             .score = 1});
    std::vector<EvidenceSentence> sentences = SentencesOf(sources, library_);
    if (sentences.empty()) return {};
    return summarises() ? Summary(sources.parts.front().text, sentences) : Mentions(sentences);
  }

  // Returns the model's sentence about a text, or no value where it wrote no whole sentence.
  std::optional<std::string> OneSentence(std::string_view text) {
    const PromptMessage message{.text = SummaryPrompt(text, language_)};
    const ReplyRequest request{.max_tokens = kNoteTokens, .most_sentences = 1};
    const ScoredText reply = model_.Read({&message, 1}, kNoteTokens, computed_, control_)
                                 ->Reply({&request, 1}, {})
                                 .front();
    std::string sentence = CollapseWhiteSpace(NormalizeText(reply.text));
    const bool is_cut =
        reply.finish == FinishReason::kMaxTokens || reply.finish == FinishReason::kContext;
    if (is_cut || !HasWords(sentence)) return std::nullopt;
    return sentence;
  }

  // Returns the summary of a window: the model's sentence where the window bears it out, else the
  // window's own sentence that comes nearest to it.
  Items Summary(std::string_view text, std::vector<EvidenceSentence>& sentences) {
    const uint64_t most = kMostWindows * 4 * options_.window.tokens;
    if (text.size() > most) {
      text = text.substr(0, FloorToCodePoint(text, most));
      ++cut_windows_;
    }
    const std::optional<std::string> sentence = OneSentence(text);
    if (!sentence) return {};
    ScoreWords(*sentence, {}, analyzer_, sentences);
    ScoreEvidence(sentences);
    const std::vector<size_t> best = BestEvidence(sentences, 2);
    const EvidenceSentence& first = sentences[best.front()];
    if (first.coverage == 0) return {};
    const std::vector<std::string> missing =
        MissingFrom(*sentence, text, answer_.question, analyzer_);
    const Support support = SupportByWords(first.coverage, missing);
    if (support == Support::kNone || !missing.empty()) {
      return {{.text = first.text,
               .evidence = {first.span},
               .support = Support::kSupported,
               .score = first.coverage}};
    }
    NoteItem item{
        .text = *sentence, .evidence = {first.span}, .support = support, .score = first.coverage};
    if (best.size() > 1 && SupportByWords(sentences[best[1]].coverage, {}) != Support::kNone) {
      item.evidence.push_back(sentences[best[1]].span);
    }
    return {std::move(item)};
  }

  // Returns the sentences of a window that are about the question.
  Items Mentions(std::vector<EvidenceSentence>& sentences) {
    ScoreWords(answer_.question, {}, analyzer_, sentences);
    ScoreEvidence(sentences);
    const std::vector<size_t> best = BestEvidence(sentences, kCandidates);
    std::vector<std::string> texts;
    for (const size_t i : best) texts.push_back(sentences[i].text);
    texts.emplace_back(SyntheticFacts(language_).front().sentence);
    const auto likelihoods =
        model_.QuestionLikelihoods(answer_.question, texts, computed_, control_);
    Items items;
    for (size_t rank = 0; rank < best.size(); ++rank) {
      const EvidenceSentence& sentence = sentences[best[rank]];
      const double gain = likelihoods ? (*likelihoods)[rank] - likelihoods->back() : 0;
      const bool is_about = likelihoods ? gain >= kAboutQuestion
                                        : SupportByWords(sentence.coverage, {}) != Support::kNone;
      if (!is_about) continue;
      items.push_back({.text = sentence.text,
                       .evidence = {sentence.span},
                       .support = likelihoods ? Support::kSupported : Support::kPartly,
                       .score = likelihoods ? gain : sentence.coverage});
    }
    std::sort(items.begin(), items.end(), [](const NoteItem& a, const NoteItem& b) {
      return a.evidence.front().begin < b.evidence.front().begin;
    });
    return items;
  }

  NoteItem CombineGroup(const Surveyed& document, std::span<const NoteItem> group, int64_t level) {
    std::string text;
    for (const NoteItem& item : group) text += (text.empty() ? "" : "\n") + item.text;
    const NoteKey key{.document = document.record.id,
                      .survey = key_,
                      .level = level,
                      .span = {.begin = group.front().evidence.front().begin,
                               .end = group.back().evidence.front().end}};
    if (const auto kept = library_.store().notes().Find(key)) {
      const auto items = ItemsFromText(*kept, text, document.text.size());
      if (items && items->size() == 1) return items->front();
    }
    NoteItem combined = Combined(text, group);
    library_.store().notes().Keep(key, ToText({combined}, text));
    return combined;
  }

  // Returns the model's sentence about several notes with the evidence of those that bear it out.
  // Without such a note, the one that comes nearest stands for all.
  NoteItem Combined(std::string_view text, std::span<const NoteItem> group) {
    const auto best_of_group = [&] {
      return *std::max_element(
          group.begin(), group.end(),
          [](const NoteItem& a, const NoteItem& b) { return a.score < b.score; });
    };
    const std::optional<std::string> sentence = OneSentence(text);
    if (!sentence) return best_of_group();
    std::vector<EvidenceSentence> notes;
    for (const NoteItem& item : group) notes.emplace_back().text = item.text;
    ScoreWords(*sentence, {}, analyzer_, notes);
    ScoreEvidence(notes);
    const std::vector<std::string> missing =
        MissingFrom(*sentence, text, answer_.question, analyzer_);
    NoteItem combined{.text = *sentence, .evidence = {}, .support = Support::kNone, .score = 0};
    for (const size_t i : BestEvidence(notes, 2)) {
      const Support support = SupportByWords(notes[i].coverage, missing);
      if (support == Support::kNone) continue;
      combined.support = std::min(combined.support, std::max(support, group[i].support));
      combined.score = std::max(combined.score, notes[i].coverage);
      combined.evidence.insert(combined.evidence.end(), group[i].evidence.begin(),
                               group[i].evidence.end());
    }
    if (combined.evidence.empty() || !missing.empty()) return best_of_group();
    return combined;
  }

  Library& library_;
  const AnswerModel& model_;
  const SurveyOptions& options_;
  Answer& answer_;
  const WorkControl& control_;
  PromptLanguage language_;
  std::string key_;
  Analyzer analyzer_;
  ComputedTokens computed_;
  size_t cut_windows_ = 0;
};

// Writes the sentences of an answer with the numbers of their citations behind them.
class SurveyText {
 public:
  SurveyText(Library& library, DocumentNames& names, Answer& answer)
      : citer_(library, names), answer_(answer) {}

  void Begin(std::string_view words) { answer_.text += words; }

  void Add(std::string_view before, DocumentId document, const NoteItem& item) {
    answer_.text += before;
    SentenceSupport sentence{
        .span = {.begin = answer_.text.size(), .end = 0}, .support = item.support, .citations = {}};
    answer_.text += item.text;
    sentence.span.end = answer_.text.size();
    for (const TextSpan& span : item.evidence) {
      const size_t index = AddCitation(citer_.Cite(document, span, item.score), answer_);
      if (std::find(sentence.citations.begin(), sentence.citations.end(), index) ==
          sentence.citations.end()) {
        sentence.citations.push_back(index);
        answer_.text += fmt::format("{}[{}]", sentence.citations.size() == 1 ? " " : "", index + 1);
      }
    }
    worst_ = std::max(worst_, item.support);
    answer_.sentences.push_back(std::move(sentence));
  }

  void Finish() { answer_.support = answer_.sentences.empty() ? Support::kNone : worst_; }

 private:
  Citer citer_;
  Answer& answer_;
  Support worst_ = Support::kSupported;
};

std::vector<DocumentId> AskedIds(Library& library, std::span<const NamedDocument> documents) {
  std::vector<DocumentId> ids = IdsOf(documents);
  if (documents.empty()) {
    for (const DocumentRecord& record : library.List()) ids.push_back(record.id);
  }
  if (ids.empty()) throw Error(Code::kInvalidArgument, "there are no documents to survey");
  return ids;
}

// Drops items that say the same as an earlier one. Returns how many.
size_t DropDuplicates(std::vector<std::pair<DocumentId, NoteItem>>& items) {
  Analyzer analyzer;
  std::vector<std::vector<uint64_t>> taken;
  return std::erase_if(items, [&](const std::pair<DocumentId, NoteItem>& item) {
    std::vector<uint64_t> shingles = Shingles(item.second.text, analyzer);
    // Two terms or less have no shingles, and all such texts would resemble each other.
    if (shingles.empty()) return false;
    const bool duplicate = std::any_of(taken.begin(), taken.end(), [&](const auto& other) {
      return Resemblance(shingles, other) >= kNearDuplicate;
    });
    if (!duplicate) taken.push_back(std::move(shingles));
    return duplicate;
  });
}

std::u32string FoldedCodePoints(std::string_view text) {
  std::u32string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text, offset);
    folded += c >= U'A' && c <= U'Z' ? c + 32 : FoldHan(c);
  }
  return folded;
}

}  // namespace

WindowSize SurveyWindowSize(const ModelFacts& model) {
  constexpr int64_t kLeast = 60;
  return {
      .tokens = static_cast<uint64_t>(std::clamp(model.trained_tokens / 3, kLeast, kRankedTokens)),
      .overlap = 0};
}

SurveyCost EstimateSurvey(int64_t document_tokens, const WindowSize& size) {
  // A window ends early where a section begins, so that windows are about four fifths full.
  const auto full = std::max<int64_t>(1, static_cast<int64_t>(size.tokens) * 4 / 5);
  const int64_t windows = (document_tokens + full - 1) / full;
  return {.windows = windows, .tokens = document_tokens + windows * kTokensBesideWindow};
}

void Survey(Library& library, std::span<const NamedDocument> documents, const AnswerModel& model,
            const SurveyOptions& options, Answer& answer, const WorkControl& control) {
  const auto start = std::chrono::steady_clock::now();
  Surveyor surveyor(library, model, options, answer, control);
  std::vector<Surveyed> surveyed;
  std::vector<std::pair<size_t, size_t>> unread;  // document, window
  size_t windows = 0;
  for (const DocumentId id : AskedIds(library, documents)) {
    Surveyed& document = surveyed.emplace_back(surveyor.Open(id));
    windows += document.windows.size();
    for (size_t i = 0; i < document.windows.size(); ++i) {
      if (!document.notes[i]) unread.emplace_back(surveyed.size() - 1, i);
    }
  }
  const size_t kept = windows - unread.size();
  size_t reading = unread.size();
  if (options.window_seconds && *options.window_seconds > 0) {
    const double fit = std::floor(options.budget_seconds / *options.window_seconds);
    if (fit < static_cast<double>(reading)) reading = std::max<size_t>(1, static_cast<size_t>(fit));
  }
  for (size_t i = 0; i < reading; ++i) {
    control.CheckStop();
    control.Report("surveying", kept + i, kept + reading);
    const auto& [document, window] = unread[i * unread.size() / reading];
    surveyor.Read(surveyed[document], window);
  }
  if (reading < unread.size()) {
    answer.notes.emplace_back(
        fmt::format("{} of {} parts were read, spread evenly: all would take about {:.0f} s more, "
                    "and the budget is {:.0f} s; asking again reads further parts",
                    kept + reading, windows,
                    *options.window_seconds * static_cast<double>(unread.size() - reading),
                    options.budget_seconds),
        std::vector<Advice>{Advice::Raise(Setting::kBudget)});
  }

  std::vector<std::pair<DocumentId, NoteItem>> items;
  const size_t most = std::max<size_t>(1, kMostSummary / surveyed.size());
  for (const Surveyed& document : surveyed) {
    Items notes;
    for (size_t i = 0; i < document.notes.size(); ++i) {
      if (!document.notes[i]) continue;
      notes.insert(notes.end(), document.notes[i]->begin(), document.notes[i]->end());
      const TextSpan& span = document.windows[i].span;
      answer.read_characters +=
          CountCodePoints(std::string_view(document.text).substr(span.begin, span.size()));
    }
    if (options.whole.kind == WholeKind::kSummary) {
      notes = surveyor.Combine(document, std::move(notes), most);
    }
    for (NoteItem& item : notes) items.emplace_back(document.record.id, std::move(item));
  }
  if (const size_t cut = surveyor.cut_windows(); cut > 0) {
    answer.notes.emplace_back(fmt::format(
        "{} parts hold sentences too long for the model; it read their beginning", cut));
  }
  DropDuplicates(items);

  DocumentNames names(library, documents);
  SurveyText text(library, names, answer);
  if (options.whole.kind == WholeKind::kSummary) {
    for (const auto& [document, item] : items) {
      text.Add(answer.text.empty() ? "" : "\n", document, item);
    }
  } else if (!items.empty()) {
    const bool chinese = LanguageOf(answer.question) == PromptLanguage::kChinese;
    text.Begin(chinese ? fmt::format("文中有{}处谈到：", items.size())
                       : fmt::format("{} place{} of the text speak{} of it:", items.size(),
                                     items.size() == 1 ? "" : "s", items.size() == 1 ? "s" : ""));
    for (size_t i = 0; i < std::min(items.size(), kMostCited); ++i) {
      text.Add("\n- ", items[i].first, items[i].second);
    }
    if (items.size() > kMostCited) {
      answer.notes.emplace_back(fmt::format("the first {} places are shown", kMostCited));
    }
    answer.notes.emplace_back(
        "places were counted that the model finds to be about the question; it may have missed "
        "some");
  }
  text.Finish();
  if (items.empty()) {
    answer.notes.emplace_back("in no part did the model find anything about the question");
  }
  const ComputedTokens computed = surveyor.computed();
  answer.prompt_tokens = static_cast<uint64_t>(computed.read);
  answer.generated_tokens = static_cast<uint64_t>(computed.written);
  answer.computed_tokens = static_cast<uint64_t>(computed.read + computed.written);
  answer.read_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<TextSpan> OccurrencesOf(std::string_view literal, std::string_view text) {
  const std::u32string wanted = FoldedCodePoints(literal);
  if (wanted.empty()) return {};
  const std::u32string folded = FoldedCodePoints(text);
  const auto joins = [](char32_t a, char32_t b) {
    return IsLetterOrDigit(a) && IsLetterOrDigit(b) && !IsCjk(a) && !IsCjk(b);
  };
  std::vector<TextSpan> spans;
  uint64_t offset = 0;
  size_t passed = 0;  // code points before `offset`
  const auto offset_of = [&](size_t index) {
    for (; passed < index; ++passed) NextCodePoint(text, offset);
    return offset;
  };
  for (size_t at = folded.find(wanted); at != std::u32string::npos;) {
    const size_t end = at + wanted.size();
    const bool inside = (at > 0 && joins(folded[at - 1], wanted.front())) ||
                        (end < folded.size() && joins(wanted.back(), folded[end]));
    if (!inside) {
      TextSpan& span = spans.emplace_back();
      span.begin = offset_of(at);
      span.end = offset_of(end);
    }
    at = folded.find(wanted, inside ? at + 1 : end);
  }
  return spans;
}

void CountOccurrences(Library& library, std::span<const NamedDocument> documents,
                      std::string_view literal, Answer& answer, const WorkControl& control) {
  const auto start = std::chrono::steady_clock::now();
  DocumentNames names(library, documents);
  SentenceSplitter splitter;
  size_t places = 0;
  std::vector<std::pair<DocumentId, NoteItem>> sentences;
  bool all_cited = true;
  for (const DocumentId id : AskedIds(library, documents)) {
    control.CheckStop();
    const DocumentRecord record = library.Show(id);
    const std::string text = library.Text(id);
    answer.read_characters += record.characters;
    const std::vector<TextSpan> found = OccurrencesOf(literal, text);
    places += found.size();
    if (found.empty()) continue;
    const std::vector<Passage> passages = library.store().documents().PassagesOf(record);
    for (const TextSpan& place : found) {
      const bool is_cited = !sentences.empty() && sentences.back().first == id &&
                            place.begin < sentences.back().second.evidence.front().end;
      if (is_cited) continue;
      if (sentences.size() == kMostCited) {
        all_cited = false;
        break;
      }
      const auto passage =
          std::partition_point(passages.begin(), passages.end(),
                               [&](const Passage& each) { return each.span.end <= place.begin; });
      TextSpan cited = place;
      if (passage != passages.end() && passage->span.begin <= place.begin) {
        for (const TextSpan& sentence :
             Sentences(text, passage->span, record.line_breaks, splitter)) {
          if (sentence.begin <= place.begin && place.begin < sentence.end) cited = sentence;
        }
      }
      sentences.emplace_back(id, NoteItem{.text = CollapseWhiteSpace(std::string_view(text).substr(
                                              cited.begin, cited.size())),
                                          .evidence = {cited},
                                          .support = Support::kSupported,
                                          .score = 1});
    }
  }
  const bool chinese = LanguageOf(answer.question) == PromptLanguage::kChinese;
  SurveyText written(library, names, answer);
  written.Begin(chinese ? fmt::format("“{}”出现{}次{}", literal, places, places > 0 ? "：" : "。")
                        : fmt::format("\"{}\" occurs {} time{}{}", literal, places,
                                      places == 1 ? "" : "s", places > 0 ? ":" : "."));
  for (const auto& [document, item] : sentences) written.Add("\n- ", document, item);
  written.Finish();
  // That a text holds a word nowhere is certain, although nothing can be cited for it.
  answer.support = Support::kSupported;
  if (!all_cited) {
    answer.notes.emplace_back(
        fmt::format("the first {} sentences that hold it are shown", kMostCited));
  }
  answer.search_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace tome
