// What models remember of the documents on the shelf, and forget when one leaves it.
#pragma once

#include <cstdint>
#include <span>

#include "tome/library/library.h"
#include "tome/memory/snapshot_store.h"

namespace tome {

// Removes from the store what was read of a document, alone or with others, and what cannot be read
// any more without it; how many bytes that frees. `staying`: the rest of the shelf.
//
// A memory names the documents it was made of by their hashes. One made of documents that have left
// the shelf otherwise (a file that has changed since) or that names none (kept by an earlier Tome)
// goes too, where its title names a file of the document's name, or where what goes begins with it.
// What belongs to staying documents alone stays; what they share with this one may go, and is read
// again. Files that are no memories go as well: what they hold cannot be told.
int64_t RemoveMemoriesOf(const DocumentRecord& document, std::span<const DocumentRecord> staying,
                         SnapshotStore& store);

}  // namespace tome
