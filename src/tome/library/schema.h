// Opens the library's one SQLite file, and defines its tables and their version.
//
//   documents   one row a distinct content: hash, how it was read, its first and last passage
//   files       which path gave which document, with the file's stamp
//   texts       the normalized text in compressed chunks (library/stored_text.h)
//   sections, pages, passages   as in documents/document.h and documents/passages.h
//   lexical, lexical_lengths    the lexical index (retrieval/lexical_index.h)
//   speeds      the measured rates of models on this machine (generate/model_rates.h)
//   kv_losses   the measured losses of models by keys and values of few bits (library/kv_loss.h)
//   abilities   what models were found to be able to (answer/ability.h)
//   properties  name and value: "analyzer" is the AnalyzerVersion of the lexical index
//
// The file's application_id marks it as Tome's, and its user_version is kSchemaVersion. Opening a
// file of an older version upgrades it in one transaction. The file is in WAL mode: readers never
// wait, there is one writer at a time, and a process killed at any moment leaves the last committed
// state.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tome/base/sqlite.h"

namespace tome {

inline constexpr int64_t kSchemaVersion = 5;

// Opens the library file, and creates it and its folder where they are missing. Waits for other
// writers until `stop` is requested. Throws Error(kCorrupt) for a file that is no database or is
// damaged, and Error(kUnsupported) for one that is not Tome's or was written by a newer Tome.
Database OpenLibraryDatabase(const std::filesystem::path& path, std::stop_token stop);

}  // namespace tome
