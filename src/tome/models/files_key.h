// FilesKeyOf identifies a model by the content of its files.
#pragma once

#include <string_view>

#include "tome/base/thread_pool.h"
#include "tome/formats/checkpoint.h"
#include "tome/memory/snapshot.h"

namespace tome {

// Returns a hash of the files that hold tensors, as they were opened, and of `settings`: the files
// beside them that count, as text. The files are read whole.
SnapshotKey FilesKeyOf(const Checkpoint& checkpoint, std::string_view settings,
                       ThreadPool& threads);

}  // namespace tome
