// Writes safetensors: the header first, then tensor by tensor, so no more than a piece of one
// tensor has to be in memory. The layout stands in safetensors.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tome/base/new_file.h"
#include "tome/formats/tensor_plan.h"

namespace tome {

// One file. It appears with Finish, whole. Error(kUnsupported) for a type the format lacks; errors
// of the system with the file's path.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorPlan>& tensors,
                    const std::map<std::string, std::string>& metadata);

  // The bytes of the planned tensors, in order; a tensor may come in pieces.
  void Write(std::span<const std::byte> bytes) {
    file_.Write(bytes);
    // Other files may be written before this one is finished.
    if (file_.size() == size_) file_.Flush();
  }
  // A programming error when fewer or more bytes were written than planned.
  void Finish();

 private:
  NewFile file_;
  uint64_t size_ = 0;  // of the finished file
};

// The weights of a folder as Hugging Face lays them out: model.safetensors, or where that would
// pass `max_shard_bytes`, model-00001-of-0000N.safetensors and model.safetensors.index.json, which
// says where each tensor is. A tensor is never cut; a larger one has a file to itself.
inline constexpr int64_t kDefaultShardBytes = 5'000'000'000;

class SafetensorsFolderWriter {
 public:
  // The folder exists. Error(kInvalidArgument) when it holds a model already: the old and the new
  // one's files could mix.
  SafetensorsFolderWriter(const std::filesystem::path& folder,
                          const std::vector<TensorPlan>& tensors,
                          const std::map<std::string, std::string>& metadata,
                          int64_t max_shard_bytes = kDefaultShardBytes);

  // The bytes of the planned tensors, in order; a piece belongs to one tensor.
  void Write(std::span<const std::byte> bytes);
  // All files appear here, the index last.
  void Finish();

 private:
  struct Shard {
    std::vector<TensorPlan> tensors;
    int64_t bytes = 0;
  };
  std::string FileName(size_t shard) const;
  void BeginShard();
  void WriteIndex() const;

  std::filesystem::path folder_;
  std::map<std::string, std::string> metadata_;
  std::vector<Shard> shards_;
  std::vector<std::unique_ptr<SafetensorsWriter>> writers_;  // of the shards begun so far
  int64_t left_ = 0;                                         // bytes of the shard being written
};

}  // namespace tome
