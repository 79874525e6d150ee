// A safetensors file (the format of Hugging Face) has this layout:
//
//   1. N, the size of the header: u64, little-endian.
//   2. N bytes of JSON: an object of tensors by name, {"dtype": "F32", "shape": [2, 3],
//      "data_offsets": [begin, end]}, with offsets counted from the end of the header; and
//      optionally "__metadata__", an object of strings. The JSON begins with '{' and may end in
//      spaces.
//   3. The tensors' bytes, row-major, without holes or overlaps, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/tensor/dtype.h"
#include "tome/tensor/shape.h"

namespace tome {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes; the reference's limit
inline constexpr size_t kMaxSafetensorsTensors = size_t{1} << 20;

struct SafetensorsTensor {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> data;
};

// A SafetensorsFile is a parsed file. Its tensors' data point into the bytes that it was parsed
// from.
struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsTensor> tensors;  // in the order of their data
};

// Parses a file. Throws Error(kCorrupt) with the tensor and field, and Error(kUnsupported) for an
// element type that Tome does not know.
SafetensorsFile ParseSafetensors(std::span<const std::byte> bytes);

// Returns the name that this format gives a type ("F32" and so on). Empty for a type that the
// format lacks (the block-quantized ones).
std::optional<std::string_view> SafetensorsTypeName(DType dtype);

}  // namespace tome
