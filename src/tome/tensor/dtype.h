// DType is the element type of a tensor: plain numbers, or one of the block-quantized types of
// GGUF.
//
// A row of a block-quantized tensor is a sequence of blocks, each of `block_elements` values in
// `block_bytes` bytes. blocks.h has the layouts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tome {

enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
};
inline constexpr int kDTypeCount = static_cast<int>(DType::kQ6_K) + 1;

struct DTypeTraits {
  std::string_view name;       // as GGUF tools write it: "F32", "Q4_K"
  int64_t block_elements = 1;  // values of one block; 1 for plain numbers
  int64_t block_bytes = 0;
};

const DTypeTraits& TraitsOf(DType dtype);
inline std::string_view NameOf(DType dtype) { return TraitsOf(dtype).name; }
// Returns the type of a name in any case ("q4_k", "BF16"). Empty for an unknown name.
std::optional<DType> DTypeFromName(std::string_view name);

// Returns whether weights of the type can be decoded to floats: F32, F16, BF16 and the
// block-quantized types.
bool IsDecodable(DType dtype);
bool IsBlockQuantized(DType dtype);

// Returns the bytes of a row of `elements` values. Throws Error(kInvalidArgument) when the values
// do not fill whole blocks or the size overflows.
int64_t RowBytes(DType dtype, int64_t elements);

}  // namespace tome
