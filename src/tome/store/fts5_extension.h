// Adds to SQLite's FTS5 on a connection the tokenizer "tome", which decodes term streams
// (store/term_stream.h), and the auxiliary function tome_collect(TABLE, POSTINGS), which
// appends the current row to a list of postings and returns 1. A query with it is a single phrase,
// and the function stands in a condition that no row meets:
//
//   SELECT 1 FROM lexical WHERE lexical MATCH ?2 AND NOT tome_collect(lexical, ?1)
//
// Column 0 of the table counts as the text and column 1 as the headings. So a posting costs one call
// and no step of a statement, which halves the time of a search. FTS5 does not allow its functions
// inside an aggregate.
#pragma once

#include "tome/base/sqlite.h"

namespace tome {

// The pointer type under which a std::vector<Posting>* is bound to POSTINGS.
inline constexpr char kPostingsPointer[] = "tome_postings";

// Must be called once on every connection that uses an FTS5 table of Tome. Throws
// Error(kUnsupported) where this SQLite was built without FTS5.
void RegisterFts5Extension(Database& database);

}  // namespace tome
