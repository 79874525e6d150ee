// Terms on their way into and out of FTS5.
//
// Analysis runs on worker threads, insertion on the one thread that holds the write lock. Between
// them terms travel as a term stream: for each term one byte 0x80 | colocated << 6 | length (1 to
// 63), then its bytes. No header byte is NUL or a quote, no term holds one, so a stream can stand
// inside a quoted string of an FTS5 query as well. The FTS5 tokenizer "tome"
// (retrieval/fts5_extension.h) only decodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/text/analyzer.h"

namespace tome {

// Appends a term. A colocated term shares the position of the term before it.
void AppendTerm(std::string_view term, bool colocated, std::string& stream);

// A passage or a heading path as a term stream, with the number of its positions.
struct AnalyzedText {
  std::string stream;
  uint32_t positions = 0;
};
AnalyzedText AnalyzeToStream(std::string_view utf8, Analyzer& analyzer);

// Takes the next term off the front of `stream`; false at its end or where it is malformed.
bool NextTerm(std::string_view& stream, std::string_view& term, bool& colocated);

}  // namespace tome
