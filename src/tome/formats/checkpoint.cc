#include "tome/formats/checkpoint.h"

#include <fmt/format.h>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/formats/gguf_reader.h"
#include "tome/formats/safetensors_reader.h"

namespace tome {

Checkpoint Checkpoint::Open(const std::filesystem::path& path) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  const std::filesystem::path extension = path.extension();
  if (folder || extension == ".safetensors" || extension == ".json") {
    return SafetensorsReader::Open(path);
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

int64_t Checkpoint::tensor_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += tensor.bytes();
  return bytes;
}

std::string Checkpoint::SideFile(std::string_view name) const {
  constexpr uint64_t kMaxSideFileBytes = uint64_t{128}
                                         << 20;  // the largest tokenizer.json is 35 MB
  TOME_CHECK(name.find('/') == std::string_view::npos);
  const std::filesystem::path file = folder_ / name;
  std::error_code error;
  if (container_ != Container::kSafetensors || !std::filesystem::exists(file, error)) return {};
  return ReadAll(OpenForReading(file).get(), kMaxSideFileBytes, file.string());
}

}  // namespace tome
