#include "tome/formats/safetensors_reader.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <set>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/formats/safetensors.h"

namespace tome {
namespace {

constexpr uint64_t kMaxIndexBytes = uint64_t{64} << 20;
constexpr int kMaxIndexDepth = 8;

nlohmann::json ParseIndex(const std::filesystem::path& path) {
  const std::string bytes = ReadAll(OpenForReading(path).get(), kMaxIndexBytes, path.string());
  const auto limit = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxIndexDepth) {
      throw Error(Code::kCorrupt, fmt::format("{}: nested too deeply", path.string()));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(bytes, limit);
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kCorrupt, fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace

void SafetensorsReader::AddFile(const std::filesystem::path& path, Checkpoint& checkpoint) {
  auto map = std::make_shared<const MappedFile>(path);
  try {
    SafetensorsFile file = ParseSafetensors(map->bytes());
    for (auto& [key, value] : file.metadata) checkpoint.metadata_.Set(key, std::move(value));
    for (SafetensorsTensor& tensor : file.tensors) {
      const TensorView view{tensor.dtype, tensor.shape, tensor.data.data()};
      const auto [it, is_new] = checkpoint.tensors_.emplace(std::move(tensor.name), view);
      if (!is_new) {
        throw Error(Code::kCorrupt,
                    fmt::format("tensor \"{}\": stands in two parts of the model", it->first));
      }
    }
  } catch (const Error& error) {
    throw error.In(path.string());
  }
  checkpoint.files_.push_back(std::move(map));
}

void SafetensorsReader::AddShards(const std::filesystem::path& index, Checkpoint& checkpoint) {
  const nlohmann::json json = ParseIndex(index);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object()) {
    throw Error(Code::kCorrupt, fmt::format("{}: weight_map is missing", index.string()));
  }
  std::set<std::string> files;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : std::string();
    // A name from the index must not lead out of its folder.
    if (name.empty() || name.find_first_of("/\\") != std::string::npos || name.front() == '.') {
      throw Error(Code::kCorrupt, fmt::format("{}: weight_map: \"{}\" is not a file's name",
                                              index.string(), tensor));
    }
    files.insert(name);
  }
  for (const std::string& file : files) AddFile(index.parent_path() / file, checkpoint);
  for (const auto& [tensor, file] : map->items()) {
    if (checkpoint.Find(tensor) == nullptr) {
      throw Error(Code::kCorrupt, fmt::format("{}: tensor \"{}\" is not in {}", index.string(),
                                              tensor, file.get<std::string>()));
    }
  }
}

Checkpoint SafetensorsReader::Open(const std::filesystem::path& path) {
  Checkpoint checkpoint;
  checkpoint.container_ = Container::kSafetensors;
  checkpoint.path_ = path;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    checkpoint.folder_ = path.parent_path();
    if (path.extension() == ".json") {
      AddShards(path, checkpoint);
    } else {
      AddFile(path, checkpoint);
    }
    return checkpoint;
  }
  checkpoint.folder_ = path;
  const auto single = path / "model.safetensors";
  const auto index = path / "model.safetensors.index.json";
  if (std::filesystem::exists(single, error)) {
    AddFile(single, checkpoint);
  } else if (std::filesystem::exists(index, error)) {
    AddShards(index, checkpoint);
  } else {
    throw Error(Code::kNotFound,
                fmt::format("{}: the folder holds neither model.safetensors nor its index; name a "
                            "model's file or folder",
                            path.string()));
  }
  return checkpoint;
}

}  // namespace tome
