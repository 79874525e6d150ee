// Whether kept memories are what the model computes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tome/generate/language_model.h"
#include "tome/memory/snapshot_store.h"

namespace tome {

struct VerifiedMemory {
  int64_t snapshots = 0;                         // and states, that this model can have made
  int64_t recomputed = 0;                        // of those
  std::vector<std::filesystem::path> different;  // from what was recomputed
};

// Computes up to `samples` of a store's snapshots and states anew, behind what is kept of the
// tokens before them, and compares bit for bit: the last of every text first, whose bits depend on
// all others'. Snapshots of other models, kernel sets or settings are passed over, and so are
// damaged ones, which are left where they are. Errors of Model::Forward; kCancelled.
VerifiedMemory VerifyMemories(SnapshotStore& store, const LanguageModel& model, int64_t samples,
                              const WorkControl& control);

}  // namespace tome
