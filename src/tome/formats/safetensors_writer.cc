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
    const auto bytes = static_cast<uint64_t>(RowBytes(tensor.dtype, tensor.shape.row_elements()) *
                                             tensor.shape.rows());
    const std::vector<int64_t> dims(tensor.shape.dims().begin(), tensor.shape.dims().end());
    header[tensor.name] = {
        {"dtype", *type}, {"shape", dims}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string json = header.dump();
  json.append((8 - json.size() % 8) % 8, ' ');  // so that the data begins aligned
  uint64_t header_bytes = json.size();
  file_.Write(std::string_view(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes));
  file_.Write(json);
  size_ = file_.size() + offset;
}

void SafetensorsWriter::Finish() {
  TOME_CHECK(file_.size() == size_);
  file_.Commit();
}

}  // namespace tome
