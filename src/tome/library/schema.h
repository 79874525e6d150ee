// The library's one SQLite file: its tables, its version, its opening.
//
//   documents   one row a distinct content: hash, how it was read, its passages first to last
//   files       which path gave which document, with the file's stamp
//   texts       the normalized text in compressed chunks (library/stored_text.h)
//   sections, pages, passages   as in documents/document.h and documents/passages.h
//   lexical, lexical_lengths    the lexical index (retrieval/lexical_index.h)
//   speeds      how fast models run on this machine (generate/model_rates.h), measured once
//   kv_losses   what models lose by keys and values of few bits (library/kv_loss.h), as measured
//   properties  name and value: "analyzer" is the AnalyzerVersion of the lexical index
//
// The file's application_id marks it as Tome's, its user_version is kSchemaVersion; a file of an
// older version is brought to it when it is opened, in one transaction. It is in WAL
// mode: readers never wait, one writer at a time, and a process killed at any moment leaves the
// last committed state.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tome/base/sqlite.h"

namespace tome {

inline constexpr int64_t kSchemaVersion = 5;

// Opens the library file, creating it and its folder where missing. Error(kCorrupt) for a file that
// is no database or is damaged, Error(kUnsupported) for one that is not Tome's or from a newer
// Tome.
// Waits for other writers until `stop` is requested.
Database OpenLibraryDatabase(const std::filesystem::path& path, std::stop_token stop);

}  // namespace tome
