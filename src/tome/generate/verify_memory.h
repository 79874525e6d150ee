// VerifyMemories says whether kept memories are what the model computes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tome/generate/language_model.h"
#include "tome/memory/snapshot_store.h"

namespace tome {

struct VerifiedMemory {
  int64_t snapshots = 0;   // snapshots and states that this model can have made
  int64_t recomputed = 0;  // how many of them were recomputed
  std::vector<std::filesystem::path> different;  // files that differ from what was recomputed
};

// Computes up to `samples` of a store's snapshots and states anew, from what is kept of the tokens
// before them, and compares bit for bit. Later positions come first, because their bits depend on
// those of all earlier ones. Snapshots of other models, kernel sets or settings are passed over,
// and so are damaged ones, which are left where they are. Throws what Model::Forward throws, and
// Error(kCancelled).
VerifiedMemory VerifyMemories(SnapshotStore& store, const LanguageModel& model, int64_t samples,
                              const WorkControl& control);

}  // namespace tome
