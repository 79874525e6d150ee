// The registry lists the architectures that Tome runs.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "tome/models/architecture.h"

namespace tome {

// Several entries may share a GGUF name (Mistral's is "llama"); the first one reads the file.
std::span<const Architecture> Architectures();

// Returns the architecture of a checkpoint: by general.architecture in GGUF, by config.json's
// model_type otherwise. Throws Error(kUnsupported) for an architecture that Tome does not run, with
// the list of those that it does.
const Architecture& ArchitectureOf(const Checkpoint& checkpoint);

// Opens and binds a model; every tensor's shape is checked against the settings. Matrices are
// packed for the kernel set of `compute`, and the model must run with that set. The embedding, and
// the matrices that the set takes as stored, stay in the mapped file, which the model keeps open.
std::unique_ptr<Model> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                 const Compute& compute);

// Throws Error(kUnsupported) for an encoder, which LoadModel does not load, with what to do.
void CheckIsModel(const Checkpoint& checkpoint);

}  // namespace tome
