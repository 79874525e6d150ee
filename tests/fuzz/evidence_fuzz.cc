// Any bytes are what a model wrote about any document: however the text is cut, parser and rewriter
// give the same, and a quote that is found lies in the document at code point borders.
// The input: the model's text, NUL, the document.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/evidence.h"
#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace {

struct Parsed {
  std::vector<tome::EvidenceLine> evidence;
  bool not_found = false;
  std::string answer;
  std::string rewritten;
};

// Pieces of 1 to `largest` bytes, their sizes from a linear congruential generator.
Parsed Parse(std::string_view text, uint32_t seed, size_t largest) {
  tome::EvidenceParser parser;
  tome::MarkRewriter rewriter({{1, 2}, {2, 1}, {7, 100}});
  Parsed parsed;
  const auto take = [&](const std::string& answer) {
    parsed.answer += answer;
    parsed.rewritten += rewriter.Push(answer);
  };
  while (!text.empty()) {
    seed = seed * 1664525U + 1013904223U;
    const size_t size = std::min(text.size(), 1 + (seed >> 8) % largest);
    take(parser.Push(text.substr(0, size)));
    text.remove_prefix(size);
  }
  take(parser.Finish());
  parsed.rewritten += rewriter.Finish();
  parsed.evidence = parser.evidence();
  parsed.not_found = parser.not_found();
  return parsed;
}

bool AtBorder(std::string_view text, uint64_t offset) {
  return offset == text.size() || tome::FloorToCodePoint(text, offset) == offset;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t nul = std::min(input.find('\0'), input.size());
  const std::string_view written = input.substr(0, nul);
  const std::string document = tome::NormalizeText(input.substr(nul));

  const Parsed whole = Parse(written, 0, SIZE_MAX);
  const Parsed cut = Parse(written, static_cast<uint32_t>(size), 5);
  TOME_CHECK(std::equal(
      whole.evidence.begin(), whole.evidence.end(), cut.evidence.begin(), cut.evidence.end(),
      [](const auto& a, const auto& b) { return a.number == b.number && a.quote == b.quote; }));
  TOME_CHECK(whole.not_found == cut.not_found);
  TOME_CHECK(whole.answer == cut.answer);
  TOME_CHECK(whole.rewritten == cut.rewritten);

  constexpr uint64_t kBegin = 1000;
  constexpr size_t kMaxQuotes = 20;  // each looks through the document
  const std::string half =
      document.substr(0, tome::FloorToCodePoint(document, document.size() / 2));
  const std::vector<tome::ShownText> shown{{half, 0}, {document, kBegin}};
  for (size_t i = 0; i < std::min(kMaxQuotes, whole.evidence.size()); ++i) {
    const tome::EvidenceLine& line = whole.evidence[i];
    TOME_CHECK(line.number >= 0 && line.quote.size() <= tome::EvidenceParser::kMaxEvidenceLine);
    const auto found = tome::FindQuote(line.quote, shown);
    if (!found) continue;
    TOME_CHECK(found->shown < shown.size());
    const tome::ShownText& text = shown[found->shown];
    TOME_CHECK(text.begin <= found->span.begin && found->span.begin < found->span.end);
    TOME_CHECK(found->span.end - text.begin <= text.text.size());
    TOME_CHECK(AtBorder(text.text, found->span.begin - text.begin));
    TOME_CHECK(AtBorder(text.text, found->span.end - text.begin));
    // What was found is a quote of itself.
    const std::string place(text.text.substr(found->span.begin - text.begin, found->span.size()));
    TOME_CHECK(tome::FindQuote(place, shown).has_value());
  }
  return 0;
}
