// Parses any bytes as a question. They give kInvalidArgument, or terms that are distinct and can be
// searched.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tome/base/error.h"
#include "tome/retrieval/question.h"
#include "tome/store/term_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static tome::Analyzer analyzer;
  tome::Question question;
  try {
    question = tome::ParseQuestion({reinterpret_cast<const char*>(data), size}, analyzer);
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kInvalidArgument);
    return 0;
  }
  TOME_CHECK(!question.terms.empty() && question.terms.size() <= tome::kMaxQuestionTerms);
  for (const tome::QueryTerm& term : question.terms) {
    TOME_CHECK(term.weight > 0);
    // No character of a stream may end the quoted string of an FTS5 query that the stream stands
    // in.
    TOME_CHECK(term.stream.find('"') == std::string::npos);
    TOME_CHECK(term.stream.find('\0') == std::string::npos);
    std::string_view rest = term.stream;
    std::string_view text;
    bool colocated = false;
    while (tome::NextTerm(rest, text, colocated)) {
    }
    TOME_CHECK(rest.empty());
  }
  return 0;
}
