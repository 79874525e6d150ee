// Removes from disk what models remember of a document when the document leaves the shelf.
#pragma once

#include <cstdint>
#include <span>

#include "tome/library/library.h"
#include "tome/memory/snapshot_store.h"

namespace tome {

// Removes the memories of a document from the store and returns how many bytes that frees.
// `staying` are the other documents of the shelf.
//
// A snapshot or state is removed where
// - it names the document's hash, alone or beside others,
// - its title names a file of the document, and it does not belong to staying documents alone: its
//   contents have left the shelf (the file has changed since), or it names no hashes (an earlier
//   Tome kept it),
// - a removed memory begins with it, and it does not belong to staying documents alone,
// - it follows a removed snapshot, because nothing leads to it any more, or
// - it cannot be read, because nothing tells which documents it was made of.
// A memory of staying documents that shares a removed beginning has to be read again.
int64_t RemoveMemoriesOf(const DocumentRecord& document, std::span<const DocumentRecord> staying,
                         SnapshotStore& store);

}  // namespace tome
