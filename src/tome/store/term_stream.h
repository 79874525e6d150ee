// Term streams carry the terms of texts and questions to a PostingStore.
//
// Analysis runs on worker threads, insertion on the one thread that holds the write lock. Between
// both, terms travel as a term stream: for each term one byte 0x80 | colocated << 6 | length (1 to
// 63), then the bytes of the term. No header byte is NUL or a quotation mark, and no term holds
// one. So a stream can also stand inside a quoted string of an SQL query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/text/analyzer.h"

namespace tome {

void AppendTerm(std::string_view term, std::string& stream);
// Appends a term that shares the position of the term before it.
void AppendColocatedTerm(std::string_view term, std::string& stream);

// A passage or a heading path as a term stream, with the number of its positions.
struct AnalyzedText {
  std::string stream;
  uint32_t positions = 0;
};
AnalyzedText AnalyzeToStream(std::string_view utf8, Analyzer& analyzer);

// Removes the next term from the front of `stream`. Returns false where the stream ends or is
// malformed.
bool NextTerm(std::string_view& stream, std::string_view& term, bool& colocated);

}  // namespace tome
