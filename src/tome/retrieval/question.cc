#include "tome/retrieval/question.h"

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "tome/base/error.h"
#include "tome/retrieval/stop_words.h"
#include "tome/text/han_folding.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr double kWordWeight = 1.0;
constexpr double kPhraseWeight = 1.0;  // words joined by punctuation; the words count as well
constexpr double kQuotedWeight = 2.0;
constexpr double kUnknownWordPair = 0.6;  // "瑞尔" in 卡|瑞|尔: most likely one word, a name
constexpr double kSingleCharacter = 0.3;  // a character that is in no searched pair

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kQuotes{{
    {"\"", "\""},
    {"“", "”"},
    {"「", "」"},
    {"『", "』"},
}};

std::vector<std::string> QuotedPhrases(std::string_view text) {
  std::vector<std::string> phrases;
  size_t position = 0;
  while (position < text.size()) {
    size_t best = std::string_view::npos;
    std::string_view open;
    std::string_view close;
    for (const auto& [left, right] : kQuotes) {
      const size_t found = text.find(left, position);
      if (found < best) {
        best = found;
        open = left;
        close = right;
      }
    }
    if (best == std::string_view::npos) break;
    const size_t begin = best + open.size();
    const size_t end = text.find(close, begin);
    if (end == std::string_view::npos) {
      position = begin;  // an inch mark or an unclosed quotation mark
      continue;
    }
    phrases.emplace_back(text.substr(begin, end - begin));
    position = end + close.size();
  }
  return phrases;
}

// One term of the question's text, with what decides its weight.
struct Piece {
  std::string text;
  TermKind kind;
  uint64_t begin;
  uint64_t end;
};

std::vector<Piece> PiecesOf(std::string_view text, Analyzer& analyzer) {
  std::vector<Piece> pieces;
  analyzer.Analyze(text, [&](const Term& term) {
    pieces.push_back({std::string(term.text), term.kind, term.begin, term.end});
  });
  return pieces;
}

// Returns the text with its characters folded, each in the bytes that it had. Characters beyond the
// Basic Multilingual Plane stay, because they might take others.
std::string FoldedInPlace(std::string_view text) {
  std::string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text, offset);
    AppendUtf8(c > 0xFFFF ? c : FoldHan(c), folded);
  }
  TOME_CHECK(folded.size() == text.size());
  return folded;
}

std::vector<std::string_view> CharactersOf(std::string_view text) {
  std::vector<std::string_view> characters;
  for (uint64_t offset = 0; offset < text.size();) {
    const uint64_t begin = offset;
    NextCodePoint(text, offset);
    characters.push_back(text.substr(begin, offset - begin));
  }
  return characters;
}

// Characters that form no word with a topic together with another stop word.
constexpr std::array<std::string_view, 16> kOnlyGrammar{
    "的", "是", "了", "吗", "呢", "们", "我", "你", "他", "她", "它", "这", "那", "有", "也", "都"};

// Returns whether `word` consists of stop words. Two characters that are such by themselves may
// form a word with a topic (对应, 及时, 中将), three hardly.
bool ConsistsOfStopWords(std::string_view word) {
  const std::vector<std::string_view> characters = CharactersOf(word);
  const auto only_grammar = [](std::string_view character) {
    return std::find(kOnlyGrammar.begin(), kOnlyGrammar.end(), character) != kOnlyGrammar.end();
  };
  if (characters.size() < 3 && std::none_of(characters.begin(), characters.end(), only_grammar))
    return false;
  // reached[i] tells whether the first i characters consist of stop words.
  std::vector<bool> reached(characters.size() + 1, false);
  reached[0] = true;
  for (size_t first = 0; first < characters.size(); ++first) {
    if (!reached[first]) continue;
    size_t bytes = 0;
    for (size_t last = first; last < characters.size(); ++last) {
      bytes += characters[last].size();
      const auto begin = static_cast<size_t>(characters[first].data() - word.data());
      if (IsChineseStopWord(word.substr(begin, bytes))) reached[last + 1] = true;
    }
  }
  return reached.back();
}

// Tells which bytes of the text belong to Chinese stop words, and where words begin.
class CjkWords {
 public:
  explicit CjkWords(std::string_view text)
      : folded_(FoldedInPlace(text)), stop_(text.size(), false), begins_(text.size() + 1, false) {
    MarkWords();
    MarkQuestionPhrases();
    MarkAlternatives();
  }

  bool IsStop(uint64_t offset) const { return stop_[offset]; }
  bool BeginsWord(uint64_t offset) const { return begins_[offset]; }
  // Returns whether the character at [begin, end) is a word by itself, or a name that the
  // dictionary lacks.
  bool IsSingle(uint64_t begin, uint64_t end) const { return begins_[begin] && begins_[end]; }

 private:
  void MarkStop(size_t begin, size_t end) {
    std::fill(stop_.begin() + static_cast<ptrdiff_t>(begin),
              stop_.begin() + static_cast<ptrdiff_t>(end), true);
  }

  void MarkWords() {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::BreakIterator> words(
        icu::BreakIterator::createWordInstance(icu::Locale("zh"), status));
    if (U_FAILURE(status)) {
      throw Error(Code::kIo, fmt::format("ICU's word rules cannot be loaded: {}; reinstall libicu",
                                         u_errorName(status)));
    }
    UText utext = UTEXT_INITIALIZER;
    utext_openUTF8(&utext, folded_.data(), static_cast<int64_t>(folded_.size()), &status);
    words->setText(&utext, status);
    int32_t from = words->first();
    for (int32_t to = words->next(); to != icu::BreakIterator::DONE; to = words->next()) {
      const auto begin = static_cast<size_t>(from);
      const auto end = static_cast<size_t>(to);
      begins_[begin] = true;
      const std::string_view word = std::string_view(folded_).substr(begin, end - begin);
      if (IsChineseStopWord(word) || ConsistsOfStopWords(word)) MarkStop(begin, end);
      from = to;
    }
    begins_.back() = true;  // for IsSingle, the end ends the last word
    utext_close(&utext);
  }

  // The dictionary cuts a question phrase into other words beside others. A phrase counts where at
  // least one of its ends is that of a word, so that it is none by chance.
  void MarkQuestionPhrases() {
    for (uint64_t begin = 0; begin < folded_.size(); NextCodePoint(folded_, begin)) {
      const size_t bytes = ChineseQuestionPhraseAt(std::string_view(folded_).substr(begin));
      if (bytes > 0 && (begins_[begin] || begins_[begin + bytes])) MarkStop(begin, begin + bytes);
    }
  }

  // Marks the first two characters of "知不知道" and "买没买": the third says what is asked.
  void MarkAlternatives() {
    const std::vector<std::string_view> characters = CharactersOf(folded_);
    for (size_t i = 0; i + 2 < characters.size(); ++i) {
      if (characters[i] != characters[i + 2] || characters[i].size() < 3) continue;
      if (characters[i + 1] != "不" && characters[i + 1] != "没") continue;
      const auto begin = static_cast<size_t>(characters[i].data() - folded_.data());
      MarkStop(begin, begin + characters[i].size() + characters[i + 1].size());
    }
  }

  std::string folded_;
  std::vector<bool> stop_;
  std::vector<bool> begins_;
};

// Says whether words that nearly every text holds are searched.
enum class StopWords { kLeftOut, kKept };

// Collects distinct terms. A term that is added twice keeps the larger weight.
class TermCollector {
 public:
  void Add(QueryTerm added) {
    if (added.stream.empty()) return;
    for (QueryTerm& term : terms_) {
      if (term.stream == added.stream) {
        term.weight = std::max(term.weight, added.weight);
        term.required = term.required || added.required;
        return;
      }
    }
    if (terms_.size() < kMaxQuestionTerms) terms_.push_back(std::move(added));
  }

  void AddTerm(std::string_view text, double weight) {
    std::string stream;
    AppendTerm(text, stream);
    Add({.stream = std::move(stream), .weight = weight});
  }

  std::vector<QueryTerm> Take() && { return std::move(terms_); }
  bool empty() const { return terms_.empty(); }

 private:
  std::vector<QueryTerm> terms_;
};

bool HasSpace(std::string_view text) {
  return text.find_first_of(" \t\n") != std::string_view::npos ||
         text.find("\xE3\x80\x80") != std::string_view::npos;  // the ideographic space
}

void AddWords(std::string_view text, std::span<const Piece> pieces, StopWords stop_words,
              Analyzer& analyzer, TermCollector& terms) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != TermKind::kWord) continue;
    // Find the end of a group of words that punctuation joins.
    size_t last = i;
    while (last + 1 < pieces.size() && pieces[last + 1].kind == TermKind::kWord &&
           pieces[last + 1].begin > pieces[last].end &&
           pieces[last + 1].begin - pieces[last].end <= 3 &&
           !HasSpace(text.substr(pieces[last].end, pieces[last + 1].begin - pieces[last].end))) {
      ++last;
    }
    const bool group = last > i;
    if (group) {
      const std::string_view joined =
          text.substr(pieces[i].begin, pieces[last].end - pieces[i].begin);
      terms.Add({.stream = PhraseStream(joined, analyzer), .weight = kPhraseWeight});
    }
    for (; i <= last; ++i) {
      const std::string word =
          LowerAscii(text.substr(pieces[i].begin, pieces[i].end - pieces[i].begin));
      if (stop_words == StopWords::kLeftOut && !group && IsEnglishStopWord(word)) continue;
      terms.AddTerm(pieces[i].text, kWordWeight);
    }
    --i;
  }
}

// Returns the weight of the pair of characters at pieces[i]. Empty where it is not searched.
std::optional<double> PairWeight(std::span<const Piece> pieces, size_t i, const CjkWords& words,
                                 StopWords stop_words) {
  const Piece& pair = pieces[i];
  if (pair.kind != TermKind::kBigram) return std::nullopt;
  // The second character begins where the character before this pair in `pieces` ends.
  const uint64_t second = pieces[i - 1].end;
  if (stop_words == StopWords::kLeftOut && (words.IsStop(pair.begin) || words.IsStop(second)))
    return std::nullopt;
  if (!words.BeginsWord(second)) return kWordWeight;
  const bool name = words.IsSingle(pair.begin, second) || words.IsSingle(second, pair.end);
  return name ? std::optional(kUnknownWordPair) : std::nullopt;
}

void AddCjk(std::span<const Piece> pieces, const CjkWords& words, StopWords stop_words,
            TermCollector& terms) {
  const auto pair_weight = [&](size_t i) {
    return i < pieces.size() ? PairWeight(pieces, i, words, stop_words) : std::nullopt;
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (const auto weight = pair_weight(i)) terms.AddTerm(pieces[i].text, *weight);
    if (pieces[i].kind != TermKind::kUnigram) continue;
    // A single character is common. It is searched only where no pair with it is.
    const bool in_pair = (i > 0 && pair_weight(i - 1)) || pair_weight(i + 1);
    const bool left_out = stop_words == StopWords::kLeftOut && words.IsStop(pieces[i].begin);
    if (!in_pair && !left_out) terms.AddTerm(pieces[i].text, kSingleCharacter);
  }
}

}  // namespace

std::string PhraseStream(std::string_view text, Analyzer& analyzer) {
  const std::vector<Piece> pieces = PiecesOf(text, analyzer);
  std::string stream;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const bool has_pair = i + 1 < pieces.size() && pieces[i + 1].kind == TermKind::kBigram;
    if (has_pair) continue;  // the pair replaces its first character and is rarer
    // The pair before it already holds the last character of a CJK run, which only matters for the
    // position of the next term.
    const bool last_of_run =
        pieces[i].kind == TermKind::kUnigram && i > 0 && pieces[i - 1].kind == TermKind::kBigram;
    if (last_of_run && i + 1 == pieces.size()) continue;
    AppendTerm(pieces[i].text, stream);
  }
  return stream;
}

Question ParseQuestion(std::string_view text, Analyzer& analyzer) {
  if (text.size() > kMaxQuestionBytes) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("the question is longer than {} bytes; ask a shorter one", kMaxQuestionBytes));
  }
  Question question;
  question.text = CollapseWhiteSpace(NormalizeText(text));
  const std::vector<Piece> pieces = PiecesOf(question.text, analyzer);
  if (pieces.empty()) {
    throw Error(Code::kInvalidArgument,
                "the question has no words; ask one in letters or characters");
  }
  TermCollector terms;
  for (std::string& phrase : QuotedPhrases(question.text)) {
    std::string stream = PhraseStream(phrase, analyzer);
    if (stream.empty()) continue;
    terms.Add({.stream = std::move(stream), .weight = kQuotedWeight, .required = true});
    question.phrases.push_back(std::move(phrase));
  }
  const CjkWords cjk_words(question.text);
  for (const StopWords stop_words : {StopWords::kLeftOut, StopWords::kKept}) {
    AddWords(question.text, pieces, stop_words, analyzer, terms);
    AddCjk(pieces, cjk_words, stop_words, terms);
    if (!terms.empty()) break;
  }
  question.terms = std::move(terms).Take();
  return question;
}

}  // namespace tome
