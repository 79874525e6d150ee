// The architectures that Tome runs.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "tome/models/architecture.h"

namespace tome {

// Several entries may share a GGUF name (Mistral's is "llama"); the first is the one that reads it.
std::span<const Architecture> Architectures();

// The architecture of a checkpoint: by general.architecture in GGUF, by config.json's model_type
// otherwise. Error(kUnsupported) for one that Tome does not run, with the list of those it does.
const Architecture& ArchitectureOf(const Checkpoint& checkpoint);

// Opens and binds a model; every tensor's shape is checked against the settings. Matrices are
// packed for the kernel set of `compute`, with which the model is to run from then on; what that
// set takes as stored, and the embedding, stays in the mapped file, which the model keeps open.
std::unique_ptr<Model> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                 const Compute& compute);

}  // namespace tome
