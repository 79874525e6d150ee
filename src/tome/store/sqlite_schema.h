// Opens the SQLite file of a store, library.db, and defines its tables and their version.
//
//   documents   one row a distinct content: hash, how it was read, its first and last passage
//   files       which path gave which document, with the file's stamp
//   texts       the normalized text in compressed chunks (sqlite_text.h)
//   sections, pages, passages   as in documents/document.h and documents/passages.h
//   lexical, lexical_lengths    the postings (sqlite_postings.h)
//   embedders, windows          the vectors (sqlite_vectors.h)
//   survey_notes                notes of surveys (sqlite_notes.h)
//   properties  name and value (Store::Property)
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "tome/base/sqlite.h"

namespace tome {

inline constexpr int64_t kLibraryId = 0x546F6D65;  // application_id: "Tome"
inline constexpr int64_t kLibraryVersion = 7;
// The versions 2 to 5 also held the tables `speeds`, `kv_losses` and `abilities`. An upgrade leaves
// them where they are until Measurements has taken over what they hold
// (measurements/library_tables.h).
inline constexpr int64_t kFirstVersionWithoutMeasurements = 6;

// Opens or creates the file as OpenDatabaseFile does.
Database OpenLibraryDatabase(const std::filesystem::path& path, std::stop_token stop);

}  // namespace tome
