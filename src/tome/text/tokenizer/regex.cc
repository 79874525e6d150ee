#include "tome/text/tokenizer/regex.h"

#include <fmt/format.h>
#include <unicode/regex.h>

#include <chrono>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/tokenizer/char_classes.h"

namespace tome {
namespace {

// Limit of a single match, in ICU's steps of about a millisecond.
constexpr int32_t kMatchTimeLimit = 500;
constexpr int32_t kMatchStackBytes = 16 << 20;
// Time limit of all matches in a text: one second, and one more for each 256 KiB.
constexpr std::chrono::milliseconds kTimeBase{1000};
constexpr size_t kBytesPerSecond = 256 << 10;

std::string Translate(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    ++i;
    if (pattern[i] == 's') {
      out += "\\p{White_Space}";
    } else if (pattern[i] == 'S') {
      out += "\\P{White_Space}";
    } else {
      out += '\\';
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace

struct Regex::Compiled {
  std::unique_ptr<icu::RegexPattern> pattern;
};

Regex::~Regex() = default;

Regex::Regex(std::string_view pattern, std::string field)
    : compiled_(std::make_unique<Compiled>()), field_(std::move(field)) {
  if (pattern.size() > kMaxPatternBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: the regular expression has {} bytes, more than {}", field_,
                            pattern.size(), kMaxPatternBytes));
  }
  const std::string translated = Translate(pattern);
  UErrorCode status = U_ZERO_ERROR;
  UParseError at{};
  compiled_->pattern.reset(icu::RegexPattern::compile(
      icu::UnicodeString::fromUTF8({translated.data(), static_cast<int32_t>(translated.size())}), 0,
      at, status));
  if (U_FAILURE(status)) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: the regular expression is not understood ({} at "
                            "character {})",
                            field_, u_errorName(status), at.offset));
  }
}

std::vector<Span> Regex::FindAll(std::string_view text, Span within) const {
  const std::string_view part = text.substr(0, within.end);
  icu::UnicodeString utf16;
  std::vector<uint32_t> offsets;  // the byte offset of each UTF-16 unit
  for (size_t i = within.begin; i < part.size();) {
    const TextChar c = CharAt(part, i);
    utf16.append(static_cast<UChar32>(c.code_point >= kIllFormed ? 0xFFFD : c.code_point));
    while (offsets.size() < static_cast<size_t>(utf16.length())) {
      offsets.push_back(static_cast<uint32_t>(i));
    }
    i += c.bytes;
  }
  offsets.push_back(within.end);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::RegexMatcher> matcher(compiled_->pattern->matcher(utf16, status));
  if (U_SUCCESS(status)) matcher->setTimeLimit(kMatchTimeLimit, status);
  if (U_SUCCESS(status)) matcher->setStackLimit(kMatchStackBytes, status);
  std::vector<Span> matches;
  const auto deadline = std::chrono::steady_clock::now() + kTimeBase +
                        std::chrono::milliseconds(part.size() * 1000 / kBytesPerSecond);
  bool late = false;
  while (U_SUCCESS(status) && !late && matcher->find(status) != 0) {
    const Span match{offsets[static_cast<size_t>(matcher->start(status))],
                     offsets[static_cast<size_t>(matcher->end(status))]};
    if (match.begin < match.end) matches.push_back(match);
    late = (matches.size() & 63) == 0 && std::chrono::steady_clock::now() > deadline;
  }
  if (U_FAILURE(status) || late) {
    throw Error(
        Code::kUnsupported,
        fmt::format("{}: the regular expression takes too much {} on a text of {} bytes", field_,
                    status == U_REGEX_STACK_OVERFLOW ? "memory" : "time", part.size()));
  }
  return matches;
}

}  // namespace tome
