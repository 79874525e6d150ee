// The layout of a safetensors file (the format of Hugging Face):
//
//   1. N, the size of the header: u64, little-endian.
//   2. N bytes of JSON: an object of tensors by name, {"dtype": "F32", "shape": [2, 3],
//      "data_offsets": [begin, end]}, offsets counted from the end of the header; and optionally
//      "__metadata__", an object of strings. It begins with '{' and may end in spaces.
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

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // the reference's limit
inline constexpr size_t kMaxSafetensorsTensors = size_t{1} << 20;

struct SafetensorsTensor {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> data;
};

// A parsed file; the tensors' data point into the bytes it was parsed from.
struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsTensor> tensors;  // in the order of their data
};

// Error(kCorrupt) names the tensor and field; Error(kUnsupported) for an element type that Tome
// does not know.
SafetensorsFile ParseSafetensors(std::span<const std::byte> bytes);

// "F32" and so on, as this format writes it; nothing for a type it lacks (the block-quantized
// ones).
std::optional<std::string_view> SafetensorsTypeName(DType dtype);

}  // namespace tome
