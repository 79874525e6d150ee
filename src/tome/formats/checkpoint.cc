#include "tome/formats/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/formats/gguf_reader.h"
#include "tome/formats/safetensors_reader.h"

namespace tome {

namespace {

// Returns the one GGUF model of a folder (of a sharded model, the first shard). Empty when the
// folder holds none. Throws Error(kInvalidArgument) for several.
std::filesystem::path GgufIn(const std::filesystem::path& folder) {
  std::filesystem::path found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".gguf" || GgufShards(path).front() != path) continue;
    if (!found.empty()) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("{}: holds several models, {} and {}; name one of the files", folder.string(),
                      found.filename().string(), path.filename().string()));
    }
    found = path;
  }
  if (error) throw SystemError(folder.string(), error.value());
  return found;
}

bool HoldsSafetensors(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "model.safetensors", error) ||
         std::filesystem::exists(folder / "model.safetensors.index.json", error);
}

bool HasPickleName(const std::filesystem::path& path) {
  const std::filesystem::path extension = path.extension();
  return extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt";
}

}  // namespace

Checkpoint Checkpoint::Open(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    if (!HoldsSafetensors(path)) {
      const std::filesystem::path gguf = GgufIn(path);
      if (!gguf.empty()) return GgufReader::Open(gguf);
    }
    return SafetensorsReader::Open(path);
  }
  if (path.extension() == ".safetensors" || path.extension() == ".json") {
    return SafetensorsReader::Open(path);
  }
  if (HasPickleName(path)) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: PyTorch's pickle format can run code and is not read; take the "
                            "model's safetensors or GGUF file",
                            path.string()));
  }
  return GgufReader::Open(path);
}

const TensorView* Checkpoint::Find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

TensorView Checkpoint::Bind(std::string_view name, const Shape& shape) const {
  const TensorView* tensor = Find(name);
  if (tensor == nullptr) {
    throw Error(Code::kNotFound, fmt::format("{}: tensor \"{}\" is missing; the file holds another "
                                             "model or not all of it",
                                             path_.string(), name));
  }
  if (tensor->shape != shape) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: tensor \"{}\": has the shape {}, the model's configuration "
                            "asks for {}",
                            path_.string(), name, ToString(tensor->shape), ToString(shape)));
  }
  return *tensor;
}

std::vector<std::span<const std::byte>> Checkpoint::Files() const {
  std::vector<std::span<const std::byte>> files;
  for (const auto& file : files_) files.push_back(file->bytes());
  return files;
}

int64_t Checkpoint::tensor_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += tensor.bytes();
  return bytes;
}

std::filesystem::path Checkpoint::SidePath(std::string_view name) const {
  const std::filesystem::path relative(name);
  TOME_CHECK(relative.is_relative() &&
             std::find(relative.begin(), relative.end(), "..") == relative.end());
  std::error_code error;
  const std::filesystem::path file = folder_ / relative;
  if (container_ != Container::kSafetensors || !std::filesystem::exists(file, error)) return {};
  return file;
}

std::string Checkpoint::SideFile(std::string_view name) const {
  // The largest tokenizer.json known has 35 MB.
  constexpr uint64_t kMaxSideFileBytes = uint64_t{128} << 20;
  const std::filesystem::path file = SidePath(name);
  if (file.empty()) return {};
  return ReadAll(OpenForReading(file).get(), kMaxSideFileBytes, file.string());
}

}  // namespace tome
