// Removes from disk what models remember of a document when the document leaves the shelf.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "tome/store/document_store.h"

namespace tome {

// Removes the memories of a document from the folder of a SnapshotStore, if it exists. Returns how
// many bytes that frees. `staying` are the other documents of the shelf.
//
// Each snapshot or state names the hashes of the documents that it was made of. If it names some,
// and all of them are hashes of staying documents, it belongs to staying documents alone. It names
// hashes that are no longer on the shelf if a file has changed since, and no hashes if an earlier
// Tome kept it.
//
// A snapshot or state is removed if
// - it names the document's hash, alone or beside others,
// - its title names a file or the number of the document, and it does not belong to staying
//   documents alone,
// - it is the beginning of a memory that is removed, and it does not belong to staying documents
//   alone,
// - it follows a removed snapshot, because a restore reaches it only through that snapshot, or
// - it cannot be parsed, because nothing tells which documents it was made of.
//
// So a memory of staying documents is removed too if it follows a removed snapshot. A model then
// has to read that text again.
int64_t RemoveMemoriesOf(const DocumentRecord& document, std::span<const DocumentRecord> staying,
                         const std::filesystem::path& memories);

}  // namespace tome
