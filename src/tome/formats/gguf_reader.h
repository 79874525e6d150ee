// Reads GGUF files; their layout stands in gguf.h.
//
// Everything a header says is checked before it is used: counts against the bytes that are left,
// sizes with overflow in mind, every tensor's bytes against the file and against each other's.
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

// More than any model has; a file beyond one of them is refused as corrupt.
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
  Shape shape;  // the contiguous dimension last, so in the reverse order of the file
  std::span<const std::byte> data;
};

// A pair as the file has it: type and value still encoded. For writers that copy what they do not
// change, with the width that the file gave each integer.
struct GgufPair {
  std::string_view key;
  std::span<const std::byte> encoded;
};

// A parsed file; spans and views point into the bytes it was parsed from.
struct GgufFile {
  uint32_t version = 0;
  uint32_t alignment = kGgufDefaultAlignment;
  Metadata metadata;
  std::vector<GgufPair> pairs;      // in the order of the file
  std::vector<GgufTensor> tensors;  // in the order of the file
};

// Error(kCorrupt) names the field; Error(kUnsupported) for another version, byte order, nested
// arrays or a tensor type that Tome cannot decode.
GgufFile ParseGguf(std::span<const std::byte> bytes);

// The files of a sharded model in order, when `path` has a shard's name; `path` alone otherwise.
// Error(kCorrupt) for a name whose numbers make no sense. Looks at names only.
std::vector<std::filesystem::path> GgufShards(const std::filesystem::path& path);

class GgufReader {
 public:
  static Checkpoint Open(const std::filesystem::path& path);
};

}  // namespace tome
