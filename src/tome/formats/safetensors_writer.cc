#include "tome/formats/safetensors_writer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tome/base/error.h"
#include "tome/formats/safetensors.h"

namespace tome {

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     const std::vector<TensorPlan>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const TensorPlan& tensor : tensors) {
    const auto type = SafetensorsTypeName(tensor.dtype);
    if (!type) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: tensor \"{}\": safetensors cannot hold the type {}",
                              path.string(), tensor.name, NameOf(tensor.dtype)));
    }
    const auto bytes = static_cast<uint64_t>(tensor.bytes());
    const std::vector<int64_t> dims(tensor.shape.dims().begin(), tensor.shape.dims().end());
    header[tensor.name] = {
        {"dtype", *type}, {"shape", dims}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string json = header.dump();
  constexpr size_t kAlignment = 64;  // bytes; where the file is mapped, its data begins aligned
  const size_t end = sizeof(uint64_t) + json.size();
  json.append((kAlignment - end % kAlignment) % kAlignment, ' ');
  uint64_t header_bytes = json.size();
  file_.Write(std::string_view(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes));
  file_.Write(json);
  size_ = file_.size() + offset;
}

void SafetensorsWriter::Finish() {
  TOME_CHECK(file_.size() == size_);
  file_.Commit();
}

SafetensorsFolderWriter::SafetensorsFolderWriter(const std::filesystem::path& folder,
                                                 const std::vector<TensorPlan>& tensors,
                                                 const std::map<std::string, std::string>& metadata,
                                                 int64_t max_shard_bytes)
    : folder_(folder), metadata_(metadata) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (std::filesystem::exists(folder / name)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}: is there already; name an empty folder or remove the old model",
                              (folder / name).string()));
    }
  }
  shards_.emplace_back();
  for (const TensorPlan& tensor : tensors) {
    const int64_t bytes = tensor.bytes();
    if (!shards_.back().tensors.empty() && bytes > max_shard_bytes - shards_.back().bytes) {
      shards_.emplace_back();
    }
    shards_.back().tensors.push_back(tensor);
    shards_.back().bytes += bytes;
  }
}

std::string SafetensorsFolderWriter::FileName(size_t shard) const {
  if (shards_.size() == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards_.size());
}

void SafetensorsFolderWriter::Write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  while (left_ == 0) BeginShard();
  TOME_CHECK(static_cast<int64_t>(bytes.size()) <= left_);
  writers_.back()->Write(bytes);
  left_ -= static_cast<int64_t>(bytes.size());
}

void SafetensorsFolderWriter::BeginShard() {
  const size_t shard = writers_.size();
  TOME_CHECK(shard < shards_.size());
  writers_.push_back(std::make_unique<SafetensorsWriter>(folder_ / FileName(shard),
                                                         shards_[shard].tensors, metadata_));
  left_ = shards_[shard].bytes;
}

void SafetensorsFolderWriter::Finish() {
  // The last shards may hold only empty tensors. Write has not begun them, because it got no bytes
  // for them.
  while (left_ == 0 && writers_.size() < shards_.size()) BeginShard();
  TOME_CHECK(left_ == 0);
  for (const auto& writer : writers_) writer->Finish();
  if (shards_.size() > 1) WriteIndex();
}

void SafetensorsFolderWriter::WriteIndex() const {
  int64_t total = 0;
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    total += shards_[shard].bytes;
    for (const TensorPlan& tensor : shards_[shard].tensors) map[tensor.name] = FileName(shard);
  }
  const nlohmann::ordered_json index{{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  NewFile file(folder_ / "model.safetensors.index.json");
  file.Write(index.dump(2) + "\n");
  file.Commit();
}

}  // namespace tome
