#include "tome/text/analyzer.h"

#include <fmt/format.h>
#include <libstemmer.h>
#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/uversion.h>

#include <array>
#include <unordered_map>

#include "tome/base/error.h"
#include "tome/text/han_folding.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// This number is raised whenever the same text would give other terms.
constexpr int kRulesVersion = 3;

// Stems are cached because words repeat (Zipf): a novel has some 20,000 distinct ones.
constexpr size_t kMaxCachedStems = size_t{1} << 16;

enum class CharClass : uint8_t {
  kSeparator,
  kLetter,
  kDigit,
  kApostrophe,
  kNumberJoint,
  kCjk,
  kNoSpaces
};

constexpr std::array<CharClass, 128> kAsciiClasses = [] {
  std::array<CharClass, 128> classes{};
  for (size_t c = 0; c < classes.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    classes[c] = letter                   ? CharClass::kLetter
                 : digit                  ? CharClass::kDigit
                 : c == '\''              ? CharClass::kApostrophe
                 : (c == '.' || c == ',') ? CharClass::kNumberJoint
                                          : CharClass::kSeparator;
  }
  return classes;
}();

CharClass WideClass(char32_t c) {
  if (IsCjk(c)) return CharClass::kCjk;
  if (c == 0x2019) return CharClass::kApostrophe;
  const auto code_point = static_cast<UChar32>(c);
  constexpr uint32_t kWordMask = U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK;
  if ((U_MASK(u_charType(code_point)) & kWordMask) == 0) return CharClass::kSeparator;
  if (c >= 0x0E00 && c <= 0x109F && (c <= 0x0EFF || c >= 0x1000)) return CharClass::kNoSpaces;
  if (c >= 0x1780 && c <= 0x17FF) return CharClass::kNoSpaces;
  return u_isdigit(code_point) ? CharClass::kDigit : CharClass::kLetter;
}

struct StemmerDeleter {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};
using Stemmer = std::unique_ptr<sb_stemmer, StemmerDeleter>;

Stemmer NewStemmer(const char* language) {
  Stemmer stemmer(sb_stemmer_new(language, "UTF_8"));
  if (!stemmer) {
    throw Error(Code::kIo,
                fmt::format("the stemmer for {} is missing; reinstall libstemmer", language));
  }
  return stemmer;
}

const icu::Normalizer2& Normalizer(const icu::Normalizer2* (*instance)(UErrorCode&)) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = instance(status);
  if (U_FAILURE(status)) {
    throw Error(Code::kIo,
                fmt::format("ICU's normalization data cannot be loaded: {}; reinstall libicu",
                            u_errorName(status)));
  }
  return *normalizer;
}

bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

struct ViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace

class Analyzer::Impl {
 public:
  void Analyze(std::string_view text, const TermSink& sink) {
    uint64_t i = 0;
    while (i < text.size()) {
      uint64_t next = i;
      const CharClass first = ClassAt(text, next);
      switch (first) {
        case CharClass::kLetter:
        case CharClass::kDigit: {
          const uint64_t end = WordEnd(text, next, first);
          sink({.text = FoldedWord(text.substr(i, end - i)), .begin = i, .end = end});
          i = end;
          break;
        }
        case CharClass::kCjk:
          i = AnalyzeCjk(text, i, sink);
          break;
        case CharClass::kNoSpaces:
          i = AnalyzeNoSpaces(text, i, sink);
          break;
        default:
          i = next;
      }
    }
  }

  // Returns a view into the cache, which is valid until the next call.
  std::string_view FoldedWord(std::string_view word) {
    word = word.substr(0, FloorToCodePoint(word, 4 * kMaxTermBytes));
    if (const auto cached = stems_.find(word); cached != stems_.end()) return cached->second;
    std::string folded = FoldAndStem(word);
    if (stems_.size() >= kMaxCachedStems) stems_.clear();
    return stems_.emplace(word, std::move(folded)).first->second;
  }

 private:
  static CharClass ClassAt(std::string_view text, uint64_t& offset) {
    const auto byte = static_cast<unsigned char>(text[offset]);
    if (byte < 0x80) {
      ++offset;
      return kAsciiClasses[byte];
    }
    return WideClass(NextCodePoint(text, offset));
  }

  // Returns the end of the word whose first character is of class `last` and ends at `i`.
  static uint64_t WordEnd(std::string_view text, uint64_t i, CharClass last) {
    uint64_t end = i;
    while (i < text.size()) {
      uint64_t next = i;
      const CharClass current = ClassAt(text, next);
      if (current == CharClass::kLetter || current == CharClass::kDigit) {
        last = current;
        i = end = next;
        continue;
      }
      // An apostrophe joins only letters, and a '.' or ',' joins only digits.
      const bool apostrophe = current == CharClass::kApostrophe && last == CharClass::kLetter;
      const bool joint = current == CharClass::kNumberJoint && last == CharClass::kDigit;
      if ((!apostrophe && !joint) || next >= text.size()) break;
      uint64_t after = next;
      const CharClass following = ClassAt(text, after);
      if (following != (apostrophe ? CharClass::kLetter : CharClass::kDigit)) break;
      last = following;
      i = end = after;
    }
    return end;
  }

  std::string FoldAndStem(std::string_view word) {
    std::string folded;
    if (IsAscii(word)) {
      folded.reserve(word.size());
      for (const char c : word) {
        if (c != ',') folded += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
      }
    } else {
      folded = FoldWide(word);
    }
    std::string_view stemmed = folded;
    if (!folded.empty()) {
      sb_stemmer* stemmer = StemmerFor(folded);
      if (stemmer != nullptr) {
        const auto* symbols =
            sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(folded.data()),
                            static_cast<int>(folded.size()));
        if (symbols != nullptr) {
          stemmed = {reinterpret_cast<const char*>(symbols),
                     static_cast<size_t>(sb_stemmer_length(stemmer))};
        }
      }
    }
    // A word that consists of dropped marks only still takes a position, as itself.
    if (stemmed.empty()) stemmed = word;
    return std::string(stemmed.substr(0, FloorToCodePoint(stemmed, kMaxTermBytes)));
  }

  // Folds by NFKC_Casefold, then decomposes and drops the marks of Latin, Greek and Cyrillic
  // (U+0300 to U+036F). The breve of й stays: й is a letter of its own, which Russian endings are
  // made of.
  std::string FoldWide(std::string_view word) const {
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(
        icu::StringPiece(word.data(), static_cast<int32_t>(word.size())));
    const icu::UnicodeString decomposed = nfd_.normalize(casefold_.normalize(wide, status), status);
    icu::UnicodeString kept;
    for (int32_t i = 0; i < decomposed.length(); ++i) {
      const char16_t unit = decomposed[i];
      if (unit == 0x2019) {
        kept += u'\'';
        continue;
      }
      const bool mark = unit >= 0x0300 && unit <= 0x036F;
      const bool short_i = unit == 0x0306 && i > 0 && decomposed[i - 1] == u'и';  // й, a letter
      if ((!mark || short_i) && unit != u',') kept += unit;
    }
    std::string folded;
    nfc_.normalize(kept, status).toUTF8String(folded);
    return U_SUCCESS(status) ? folded : std::string(word);
  }

  // Returns the stemmer for a folded word, by its first letter's script; null for other scripts and
  // for numbers.
  sb_stemmer* StemmerFor(std::string_view folded) const {
    const auto first = static_cast<unsigned char>(folded[0]);
    if (first >= 'a' && first <= 'z') return english_.get();
    if (first < 0x80) return nullptr;
    uint64_t offset = 0;
    const char32_t c = NextCodePoint(folded, offset);
    return c >= 0x0400 && c <= 0x04FF ? russian_.get() : nullptr;
  }

  // Emits the run of CJK characters that begins at `begin`; returns its end.
  uint64_t AnalyzeCjk(std::string_view text, uint64_t begin, const TermSink& sink) {
    uint64_t i = begin;
    uint64_t first_end = begin;
    FoldCjk(NextCodePoint(text, first_end), first_);
    for (;;) {
      sink({.text = first_, .kind = TermKind::kUnigram, .begin = i, .end = first_end});
      uint64_t second_end = first_end;
      if (second_end >= text.size()) return first_end;
      const char32_t second =
          static_cast<unsigned char>(text[second_end]) < 0x80 ? 0 : NextCodePoint(text, second_end);
      if (second == 0 || !IsCjk(second)) return first_end;
      FoldCjk(second, second_);
      pair_.assign(first_).append(second_);
      sink({.text = pair_, .kind = TermKind::kBigram, .begin = i, .end = second_end});
      i = first_end;
      first_end = second_end;
      first_.swap(second_);
    }
  }

  void FoldCjk(char32_t c, std::string& out) const {
    out.clear();
    // Unified ideographs, kana and Hangul syllables need no case folding; compatibility and
    // half-width forms do.
    const bool plain = (c >= 0x3041 && c <= 0x3130) || (c >= 0x3400 && c <= 0x9FFF) ||
                       (c >= 0xAC00 && c <= 0xD7A3);
    if (plain) return AppendUtf8(FoldHan(c), out);
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString folded =
        casefold_.normalize(icu::UnicodeString(static_cast<UChar32>(c)), status);
    for (int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
      AppendUtf8(FoldHan(static_cast<char32_t>(folded.char32At(i))), out);
    }
    if (U_FAILURE(status) || out.empty() || out.size() > kMaxTermBytes / 2) {
      out.clear();
      AppendUtf8(FoldHan(c), out);
    }
  }

  // Emits the words of a run of Thai, Lao, Khmer or Burmese; returns its end.
  uint64_t AnalyzeNoSpaces(std::string_view text, uint64_t begin, const TermSink& sink) {
    uint64_t end = begin;
    while (end < text.size()) {
      uint64_t next = end;
      if (ClassAt(text, next) != CharClass::kNoSpaces) break;
      end = next;
    }
    UErrorCode status = U_ZERO_ERROR;
    if (!words_) {
      words_.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
      if (U_FAILURE(status)) {
        throw Error(Code::kIo,
                    fmt::format("ICU's word rules cannot be loaded: {}; reinstall libicu",
                                u_errorName(status)));
      }
    }
    UText utext = UTEXT_INITIALIZER;
    utext_openUTF8(&utext, text.data() + begin, static_cast<int64_t>(end - begin), &status);
    words_->setText(&utext, status);
    int32_t from = words_->first();
    for (int32_t to = words_->next(); to != icu::BreakIterator::DONE; to = words_->next()) {
      const uint64_t word_begin = begin + static_cast<uint64_t>(from);
      const uint64_t word_end = begin + static_cast<uint64_t>(to);
      sink({.text = FoldedWord(text.substr(word_begin, word_end - word_begin)),
            .begin = word_begin,
            .end = word_end});
      from = to;
    }
    utext_close(&utext);
    return end;
  }

  const icu::Normalizer2& casefold_ = Normalizer(icu::Normalizer2::getNFKCCasefoldInstance);
  const icu::Normalizer2& nfd_ = Normalizer(icu::Normalizer2::getNFDInstance);
  const icu::Normalizer2& nfc_ = Normalizer(icu::Normalizer2::getNFCInstance);
  const Stemmer english_ = NewStemmer("english");
  const Stemmer russian_ = NewStemmer("russian");
  // The iterator is made when it is first needed, because loading it takes milliseconds.
  std::unique_ptr<icu::BreakIterator> words_;
  std::unordered_map<std::string, std::string, ViewHash, std::equal_to<>> stems_;
  std::string first_;
  std::string second_;
  std::string pair_;
};

Analyzer::Analyzer() : impl_(std::make_unique<Impl>()) {}
Analyzer::~Analyzer() = default;

void Analyzer::Analyze(std::string_view utf8, const TermSink& sink) { impl_->Analyze(utf8, sink); }

std::string Analyzer::Fold(std::string_view word) { return std::string(impl_->FoldedWord(word)); }

std::vector<std::string> TermsOf(std::string_view text, Analyzer& analyzer) {
  std::vector<std::string> terms;
  analyzer.Analyze(text, [&](const Term& term) { terms.emplace_back(term.text); });
  return terms;
}

std::string AnalyzerVersion() {
  return fmt::format("tome-{} icu-{} snowball-2 opencc-{}", kRulesVersion, U_ICU_VERSION,
                     HanFoldingVersion());
}

}  // namespace tome
