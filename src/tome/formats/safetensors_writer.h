// These classes write safetensors (layout: safetensors.h): the header first, then tensor by tensor,
// so no more than a piece of one tensor has to be in memory.
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

// A SafetensorsWriter writes one file, which appears with Finish, whole. The constructor throws
// Error(kUnsupported) for a type that the format lacks. Errors of the system carry the file's path.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorPlan>& tensors,
                    const std::map<std::string, std::string>& metadata);

  // Writes bytes of the planned tensors, in order. A tensor may come in pieces.
  void Write(std::span<const std::byte> bytes) {
    file_.Write(bytes);
    // Other files may be written before Finish, so nothing is kept in memory until then.
    if (file_.size() == size_) file_.Flush();
  }
  // Makes the file appear. It is a programming error when fewer or more bytes were written than
  // planned.
  void Finish();

 private:
  NewFile file_;
  uint64_t size_ = 0;  // bytes of the finished file
};

inline constexpr int64_t kDefaultShardBytes = 5'000'000'000;  // bytes of a file

// A SafetensorsFolderWriter writes the weights of a folder as Hugging Face lays them out:
// model.safetensors, or where that would pass `max_shard_bytes`, model-00001-of-0000N.safetensors
// and model.safetensors.index.json, which says where each tensor is. A tensor is never cut; a
// larger one has a file to itself.
class SafetensorsFolderWriter {
 public:
  // `folder` must exist. Throws Error(kInvalidArgument) when it holds a model already, because
  // files of the old and the new model could mix.
  SafetensorsFolderWriter(const std::filesystem::path& folder,
                          const std::vector<TensorPlan>& tensors,
                          const std::map<std::string, std::string>& metadata,
                          int64_t max_shard_bytes = kDefaultShardBytes);

  // Writes bytes of the planned tensors, in order. A piece belongs to one tensor.
  void Write(std::span<const std::byte> bytes);
  // Makes all files appear, the index last.
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
  int64_t left_ = 0;  // bytes that the current shard still lacks
};

}  // namespace tome
