#include "tome/retrieval/term_stream.h"

#include "tome/base/error.h"

namespace tome {
namespace {

constexpr unsigned kTermFlag = 0x80;
constexpr unsigned kColocatedFlag = 0x40;
constexpr unsigned kLengthMask = 0x3F;
static_assert(kMaxTermBytes <= kLengthMask);

}  // namespace

void AppendTerm(std::string_view term, bool colocated, std::string& stream) {
  TOME_CHECK(!term.empty() && term.size() <= kMaxTermBytes);
  const unsigned flags = kTermFlag | (colocated ? kColocatedFlag : 0);
  stream += static_cast<char>(flags | static_cast<unsigned>(term.size()));
  stream += term;
}

AnalyzedText AnalyzeToStream(std::string_view utf8, Analyzer& analyzer) {
  AnalyzedText analyzed;
  analyzed.stream.reserve(utf8.size() * 2);
  analyzer.Analyze(utf8, [&](const Term& term) {
    const bool colocated = term.kind == TermKind::kBigram;
    AppendTerm(term.text, colocated, analyzed.stream);
    if (!colocated) ++analyzed.positions;
  });
  return analyzed;
}

bool NextTerm(std::string_view& stream, std::string_view& term, bool& colocated) {
  if (stream.empty()) return false;
  const auto header = static_cast<unsigned char>(stream[0]);
  const size_t length = header & kLengthMask;
  if ((header & kTermFlag) == 0 || length == 0 || length >= stream.size()) return false;
  term = stream.substr(1, length);
  colocated = (header & kColocatedFlag) != 0;
  stream.remove_prefix(1 + length);
  return true;
}

}  // namespace tome
