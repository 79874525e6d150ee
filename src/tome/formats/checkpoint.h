// A Checkpoint is a model on disk: named tensors and the metadata that describes them, whatever the
// container.
//
// There are two containers: GGUF v2/v3 (one file or shards NAME-00001-of-00005.gguf), and
// safetensors (one file, or the folder of a Hugging Face repository: config.json, model.safetensors
// or model.safetensors.index.json with its shards, tokenizer files beside them). Names and keys
// stay those of the container; an architecture's file in models/ knows both namings.
//
// Files are mapped read-only. A Checkpoint owns the maps, and its views must not outlive it. It is
// immutable after Open, so any number of threads may use it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/mapped_file.h"
#include "tome/formats/metadata.h"
#include "tome/tensor/tensor.h"

namespace tome {

enum class Container { kGguf, kSafetensors };

class Checkpoint {
 public:
  // Opens `path`: a .gguf file (of shards: any of them), a .safetensors file, a
  // model.safetensors.index.json, or a folder that holds one model. Errors name the file and the
  // field. Throws Error(kNotFound), Error(kInvalidArgument) for a folder that holds several models,
  // Error(kCorrupt) for a file that breaks its format (every count, offset and overlap is checked
  // before it is used), and Error(kUnsupported) for a tensor type or version that this build lacks.
  static Checkpoint Open(const std::filesystem::path& path);

  Container container() const { return container_; }
  const std::filesystem::path& path() const { return path_; }

  // Returns GGUF's key-value pairs, or the strings of safetensors' `__metadata__`.
  const Metadata& metadata() const { return metadata_; }
  // Returns a file beside safetensors weights ("config.json", "1_Pooling/config.json"), read whole
  // with a limit on its size. Empty where there is no such file, and for GGUF. The name leads out
  // of no folder: its parts are names without "..".
  std::string SideFile(std::string_view name) const;
  // Returns the path of such a file; empty where there is none, and for GGUF.
  std::filesystem::path SidePath(std::string_view name) const;

  // Returns all tensors, sorted by name.
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  // Returns null when there is no such tensor.
  const TensorView* Find(std::string_view name) const;
  // Returns the tensor. Throws Error(kNotFound) where it is missing, and Error(kCorrupt) with both
  // shapes where it has another shape.
  TensorView Bind(std::string_view name, const Shape& shape) const;

  int64_t tensor_bytes() const;

  // Returns the mapped files that hold tensors, in the order of their names.
  std::vector<std::span<const std::byte>> Files() const;

 private:
  friend class GgufReader;
  friend class SafetensorsReader;
  Checkpoint() = default;

  Container container_ = Container::kGguf;
  std::filesystem::path path_;
  std::filesystem::path folder_;  // where side files lie
  std::vector<std::shared_ptr<const MappedFile>> files_;
  Metadata metadata_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace tome
