// A GGUF file of version 2 or 3 (the format of llama.cpp and ggml) is little-endian and has this
// layout:
//
//   1. "GGUF"; version u32; number of tensors u64; number of key-value pairs u64.
//   2. The pairs: key (string), type of the value (u32, GgufType), value. A string is its length in
//      bytes (u64) and that many bytes of UTF-8. An array is the type of its elements (u32), their
//      number (u64) and the elements. Nothing is padded here.
//   3. The tensors: name (string), number of dimensions u32, each dimension u64 (the contiguous one
//      first), type u32, offset u64 of its data, counted from the start of the data.
//   4. Zeros up to a multiple of the alignment ("general.alignment", 32 without it).
//   5. The data; each tensor begins at a multiple of the alignment.
//
// A large model may be cut into shards NAME-00001-of-00005.gguf, each a whole GGUF file. The first
// has the metadata, and all have "split.no" (from 0), "split.count" and "split.tensors.count".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tome/tensor/dtype.h"

namespace tome {

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint32_t kGgufDefaultAlignment = 32;
inline constexpr std::string_view kGgufAlignmentKey = "general.alignment";

enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// A GgufTensorType is a tensor type and its number in the file. `dtype` is empty for a type that
// Tome knows by name but cannot decode.
struct GgufTensorType {
  uint32_t id = 0;
  std::string_view name;
  std::optional<DType> dtype;
};
// Returns null for a number that is unknown or was removed from the format.
const GgufTensorType* FindGgufTensorType(uint32_t id);
// Returns the number of a type in a file. Empty for U8, which GGUF lacks.
std::optional<uint32_t> GgufTensorTypeId(DType dtype);

}  // namespace tome
