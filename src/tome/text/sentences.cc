#include "tome/text/sentences.h"

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/filteredbrk.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Returns true where the text before `end` closes with an initial ("Richard M. "), which ICU takes
// for the end of a sentence.
bool EndsWithInitial(std::string_view text, uint64_t end) {
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n')) --end;
  if (end < 2 || text[end - 1] != '.' || text[end - 2] < 'A' || text[end - 2] > 'Z') return false;
  return end >= 3 && text[end - 3] == ' ';
}

// Titles that ICU's list of abbreviations lacks.
constexpr const char16_t* kTitles[] = {u"Dr.",  u"St.",  u"Messrs.", u"Mme.", u"Mlle.",
                                       u"Gen.", u"Gov.", u"Sen.",    u"Jr.",  u"Sr."};

// Moves the end of a sentence before opening punctuation. UAX 29 does not tell an opening quote or
// bracket from a closing one. Where no space stands between two sentences, it counts the quote that
// opens the second as the end of the first.
uint64_t BeforeOpeningPunctuation(std::string_view utf8, uint64_t begin, uint64_t end) {
  uint64_t moved = end;
  while (moved > begin) {
    const uint64_t previous = FloorToCodePoint(utf8, moved - 1);
    uint64_t offset = previous;
    const auto c = static_cast<UChar32>(NextCodePoint(utf8, offset));
    if ((U_MASK(u_charType(c)) & (U_GC_PS_MASK | U_GC_PI_MASK)) == 0) return moved;
    moved = previous;
  }
  return end;  // the sentence is all opening punctuation
}

}  // namespace

class SentenceSplitter::Impl {
 public:
  Impl() {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Locale english("en");
    std::unique_ptr<icu::BreakIterator> plain(
        icu::BreakIterator::createSentenceInstance(english, status));
    const std::unique_ptr<icu::FilteredBreakIteratorBuilder> abbreviations(
        icu::FilteredBreakIteratorBuilder::createInstance(english, status));
    for (const char16_t* title : kTitles) {
      if (U_SUCCESS(status)) abbreviations->suppressBreakAfter(title, status);
    }
    if (U_SUCCESS(status)) rules_.reset(abbreviations->build(plain.release(), status));
    if (U_FAILURE(status)) {
      throw Error(Code::kIo,
                  fmt::format("ICU's sentence rules cannot be loaded: {}; reinstall libicu",
                              u_errorName(status)));
    }
  }

  std::vector<uint64_t> Ends(std::string_view utf8) {
    std::vector<uint64_t> ends;
    UErrorCode status = U_ZERO_ERROR;
    UText utext = UTEXT_INITIALIZER;
    utext_openUTF8(&utext, utf8.data(), static_cast<int64_t>(utf8.size()), &status);
    rules_->setText(&utext, status);
    rules_->first();
    for (int32_t end = rules_->next(); U_SUCCESS(status) && end != icu::BreakIterator::DONE;
         end = rules_->next()) {
      const auto size = static_cast<uint64_t>(end);
      if (utf8[size - 1] != '\n' && size != utf8.size() && EndsWithInitial(utf8, size)) continue;
      ends.push_back(size == utf8.size()
                         ? size
                         : BeforeOpeningPunctuation(utf8, ends.empty() ? 0 : ends.back(), size));
    }
    utext_close(&utext);
    if (!utf8.empty() && (ends.empty() || ends.back() != utf8.size())) ends.push_back(utf8.size());
    return ends;
  }

 private:
  std::unique_ptr<icu::BreakIterator> rules_;
};

SentenceSplitter::SentenceSplitter() : impl_(std::make_unique<Impl>()) {}
SentenceSplitter::~SentenceSplitter() = default;

std::vector<uint64_t> SentenceSplitter::Ends(std::string_view utf8) {
  return utf8.empty() ? std::vector<uint64_t>() : impl_->Ends(utf8);
}

TokenCount CountTokens(std::string_view utf8) {
  TokenCount count;
  uint64_t i = 0;
  while (i < utf8.size()) {
    if (static_cast<unsigned char>(utf8[i]) < 0x80) {
      ++count.others;
      ++i;
    } else if (IsCjk(NextCodePoint(utf8, i))) {
      ++count.cjk;
    } else {
      ++count.others;
    }
  }
  return count;
}

uint64_t EstimateTokens(std::string_view utf8) { return CountTokens(utf8).tokens(); }

}  // namespace tome
