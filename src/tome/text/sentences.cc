#include "tome/text/sentences.h"

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/filteredbrk.h>
#include <unicode/utext.h>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// True when the text before `end` closes with an initial ("Richard M. "): ICU takes it for an end.
bool EndsWithInitial(std::string_view text, uint64_t end) {
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n')) --end;
  if (end < 2 || text[end - 1] != '.' || text[end - 2] < 'A' || text[end - 2] > 'Z') return false;
  return end >= 3 && text[end - 3] == ' ';
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
      const auto offset = static_cast<uint64_t>(end);
      const bool line_end = utf8[offset - 1] == '\n';
      if (line_end || !EndsWithInitial(utf8, offset)) ends.push_back(offset);
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

uint64_t EstimateTokens(std::string_view utf8) {
  uint64_t cjk = 0;
  uint64_t other = 0;
  uint64_t i = 0;
  while (i < utf8.size()) {
    if (static_cast<unsigned char>(utf8[i]) < 0x80) {
      ++other;
      ++i;
    } else if (IsCjk(NextCodePoint(utf8, i))) {
      ++cjk;
    } else {
      ++other;
    }
  }
  return cjk + (other + 3) / 4;
}

}  // namespace tome
