#include "tome/store/term_stream.h"

#include "tome/base/error.h"

namespace tome {
namespace {

constexpr unsigned kTermFlag = 0x80;
constexpr unsigned kColocatedFlag = 0x40;
constexpr unsigned kLengthMask = 0x3F;
static_assert(kMaxTermBytes <= kLengthMask);

void Append(std::string_view term, unsigned flags, std::string& stream) {
  TOME_CHECK(!term.empty() && term.size() <= kMaxTermBytes);
  stream += static_cast<char>(flags | static_cast<unsigned>(term.size()));
  stream += term;
}

}  // namespace

void AppendTerm(std::string_view term, std::string& stream) { Append(term, kTermFlag, stream); }

void AppendColocatedTerm(std::string_view term, std::string& stream) {
  Append(term, kTermFlag | kColocatedFlag, stream);
}

AnalyzedText AnalyzeToStream(std::string_view utf8, Analyzer& analyzer) {
  AnalyzedText analyzed;
  analyzed.stream.reserve(utf8.size() * 2);
  analyzer.Analyze(utf8, [&](const Term& term) {
    if (term.kind == TermKind::kBigram) return AppendColocatedTerm(term.text, analyzed.stream);
    AppendTerm(term.text, analyzed.stream);
    ++analyzed.positions;
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
