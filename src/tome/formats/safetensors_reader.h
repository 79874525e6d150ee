// SafetensorsReader opens safetensors checkpoints: one file, a folder, or shards with their index
// (model.safetensors.index.json: {"weight_map": {tensor: file}}).
#pragma once

#include <filesystem>

#include "tome/formats/checkpoint.h"

namespace tome {

class SafetensorsReader {
 public:
  // Opens a file, an index or a folder. Of a folder it reads model.safetensors, or without one the
  // index. Throws the errors of Checkpoint::Open.
  static Checkpoint Open(const std::filesystem::path& path);

 private:
  static void AddFile(const std::filesystem::path& path, Checkpoint& checkpoint);
  static void AddShards(const std::filesystem::path& index, Checkpoint& checkpoint);
};

}  // namespace tome
