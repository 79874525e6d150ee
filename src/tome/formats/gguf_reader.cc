#include "tome/formats/gguf_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/formats/byte_reader.h"

namespace tome {
namespace {

// A ShardName holds the parts of the name "NAME-00002-of-00005.gguf".
struct ShardName {
  std::string prefix;  // "NAME"
  int number = 0;      // from 1
  int count = 0;
};

constexpr int kShardDigits = 5;

std::optional<int> Digits(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text[0] == '-') {
    return std::nullopt;
  }
  return number;
}

std::optional<ShardName> ParseShardName(std::string_view name) {
  constexpr std::string_view kEnd = ".gguf";
  constexpr std::string_view kOf = "-of-";
  constexpr size_t kSuffix = 1 + kShardDigits + kOf.size() + kShardDigits + kEnd.size();
  if (name.size() <= kSuffix || !name.ends_with(kEnd)) return std::nullopt;
  const std::string_view suffix = name.substr(name.size() - kSuffix);
  const auto number = Digits(suffix.substr(1, kShardDigits));
  const auto count = Digits(suffix.substr(1 + kShardDigits + kOf.size(), kShardDigits));
  if (suffix[0] != '-' || suffix.substr(1 + kShardDigits, kOf.size()) != kOf || !number || !count) {
    return std::nullopt;
  }
  return ShardName{std::string(name.substr(0, name.size() - kSuffix)), *number, *count};
}

// Throws where the metadata of shard `index` of `count` does not agree with the file names about
// the split.
void CheckSplit(const Metadata& metadata, size_t index, size_t count) {
  const int64_t split_count = metadata.Int("split.count").value_or(1);
  const int64_t split_no = metadata.Int("split.no").value_or(0);
  if (split_count == static_cast<int64_t>(count) && split_no == static_cast<int64_t>(index)) return;
  if (count == 1) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("split.count: is part {} of {}; name the parts NAME-00001-of-0000N.gguf "
                    "and keep them in one folder",
                    split_no + 1, split_count));
  }
  throw Error(Code::kCorrupt, fmt::format("split.no: says part {} of {}, the file's name says part "
                                          "{} of {}",
                                          split_no + 1, split_count, index + 1, count));
}

}  // namespace

std::vector<std::filesystem::path> GgufShards(const std::filesystem::path& path) {
  const auto shard = ParseShardName(path.filename().string());
  if (!shard) return {path};
  if (shard->number < 1 || shard->number > shard->count) {
    throw Error(Code::kCorrupt, fmt::format("{}: part {} of {} cannot be; check the file's name",
                                            path.string(), shard->number, shard->count));
  }
  std::vector<std::filesystem::path> shards;
  for (int number = 1; number <= shard->count; ++number) {
    shards.push_back(path.parent_path() /
                     fmt::format("{}-{:05}-of-{:05}.gguf", shard->prefix, number, shard->count));
  }
  return shards;
}

Checkpoint GgufReader::Open(const std::filesystem::path& path) {
  Checkpoint checkpoint;
  checkpoint.container_ = Container::kGguf;
  checkpoint.path_ = path;
  checkpoint.folder_ = path.parent_path();
  const auto shards = GgufShards(path);
  for (size_t index = 0; index < shards.size(); ++index) {
    auto map = std::make_shared<const MappedFile>(shards[index]);
    try {
      GgufFile file = ParseGguf(map->bytes());
      CheckSplit(file.metadata, index, shards.size());
      for (GgufTensor& tensor : file.tensors) {
        const TensorView view{tensor.dtype, tensor.shape, tensor.data.data()};
        const auto [it, is_new] = checkpoint.tensors_.emplace(std::move(tensor.name), view);
        if (!is_new) {
          throw Error(Code::kCorrupt, fmt::format("tensor {}: stands in two parts of the model",
                                                  QuotedName(it->first)));
        }
      }
      if (index == 0) checkpoint.metadata_ = std::move(file.metadata);
    } catch (const Error& error) {
      throw error.In(shards[index].string());
    }
    checkpoint.files_.push_back(std::move(map));
  }
  const auto declared = checkpoint.metadata_.Int("split.tensors.count");
  if (shards.size() > 1 && declared &&
      *declared != static_cast<int64_t>(checkpoint.tensors_.size())) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: split.tensors.count: {} tensors are declared, the parts hold {}",
                            path.string(), *declared, checkpoint.tensors_.size()));
  }
  return checkpoint;
}

}  // namespace tome
