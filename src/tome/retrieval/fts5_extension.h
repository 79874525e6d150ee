// What Tome adds to SQLite's FTS5 on a connection: the tokenizer "tome", which decodes term streams
// (retrieval/term_stream.h), and the auxiliary function tome_frequency(TABLE).
//
// tome_frequency gives, for a query of one phrase, how often it occurs in the current row:
// occurrences in column 0 plus 2^32 times the occurrences in column 1.
#pragma once

#include "tome/base/sqlite.h"

namespace tome {

inline constexpr int kFrequencyShift = 32;

// Must be called once on every connection that touches an FTS5 table of Tome. Error(kUnsupported)
// when this SQLite was built without FTS5.
void RegisterFts5Extension(Database& database);

}  // namespace tome
