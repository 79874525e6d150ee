// GgufReader reads GGUF files. Their layout stands in gguf.h.
//
// Everything that a header says is checked before it is used: counts against the bytes that are
// left, sizes for overflow, and every tensor's bytes against the file and against those of the
// other tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/formats/gguf.h"
#include "tome/formats/metadata.h"
#include "tome/tensor/dtype.h"
#include "tome/tensor/shape.h"

namespace tome {

// No model needs more than these limits. A file beyond one of them is refused as corrupt.
inline constexpr uint64_t kMaxGgufTensors = uint64_t{1} << 18;
inline constexpr uint64_t kMaxGgufPairs = uint64_t{1} << 16;
inline constexpr uint64_t kMaxGgufKeyBytes = 65535;
inline constexpr uint64_t kMaxGgufTensorNameBytes = 127;  // ggml's own limit is 63
inline constexpr uint64_t kMaxGgufStringBytes = uint64_t{1} << 26;
inline constexpr uint64_t kMaxGgufArrayElements = uint64_t{1} << 24;  // of all arrays together
inline constexpr uint32_t kMinGgufAlignment = 8;
inline constexpr uint32_t kMaxGgufAlignment = uint32_t{1} << 20;

struct GgufTensor {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;  // contiguous dimension last: the reverse of the file's order
  std::span<const std::byte> data;
};

// A GgufPair is a pair as the file has it, with type and value still encoded. Writers copy the
// pairs that they do not change, with the width that the file gave each integer.
struct GgufPair {
  std::string_view key;
  std::span<const std::byte> encoded;
};

// A GgufFile is a parsed file. Its spans and views point into the bytes that it was parsed from.
struct GgufFile {
  uint32_t version = 0;
  uint32_t alignment = kGgufDefaultAlignment;
  Metadata metadata;
  std::vector<GgufPair> pairs;      // in the order of the file
  std::vector<GgufTensor> tensors;  // in the order of the file
};

// Parses a file. Throws Error(kCorrupt) with the field, and Error(kUnsupported) for another version
// or byte order, nested arrays or a tensor type that Tome cannot decode.
GgufFile ParseGguf(std::span<const std::byte> bytes);

// Returns the files of a sharded model in order when `path` has a shard's name, and `path` alone
// otherwise. It looks at names only. Throws Error(kCorrupt) for a name whose numbers make no sense.
std::vector<std::filesystem::path> GgufShards(const std::filesystem::path& path);

class GgufReader {
 public:
  static Checkpoint Open(const std::filesystem::path& path);
};

}  // namespace tome
