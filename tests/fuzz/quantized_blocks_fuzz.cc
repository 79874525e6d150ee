// The first byte selects a type. Any bytes decode. Finite floats of at most 65504 encode to blocks
// that decode near them. Larger values, NaN and infinities give an Error.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tome/base/error.h"
#include "tome/tensor/codec.h"

namespace {

constexpr tome::DType kTypes[]{tome::DType::kF16,  tome::DType::kBF16, tome::DType::kQ4_0,
                               tome::DType::kQ4_1, tome::DType::kQ5_0, tome::DType::kQ5_1,
                               tome::DType::kQ8_0, tome::DType::kQ4_K, tome::DType::kQ5_K,
                               tome::DType::kQ6_K};
constexpr size_t kMaxValues = 4096;

void CheckDecode(tome::DType dtype, const std::byte* bytes, size_t size) {
  const auto& traits = tome::TraitsOf(dtype);
  const size_t blocks = size / static_cast<size_t>(traits.block_bytes);
  std::vector<float> out(std::min(blocks * static_cast<size_t>(traits.block_elements), kMaxValues));
  tome::DecodeRow(dtype, bytes, out);
}

// Checks that decoded values are near the encoded ones. With 4 bits over the range of a block's
// values (zero included), no value is off by more than one step, and a step is less than the
// largest magnitude of the block. The further 1e-5 covers the smallest half times its multiplier.
void CheckRoundTrip(tome::DType dtype, const std::vector<float>& values) {
  std::vector<std::byte> row(
      static_cast<size_t>(tome::RowBytes(dtype, static_cast<int64_t>(values.size()))));
  tome::EncodeRow(dtype, values, row.data());
  std::vector<float> decoded(values.size());
  tome::DecodeRow(dtype, row.data(), decoded);
  const auto block = static_cast<size_t>(tome::TraitsOf(dtype).block_elements);
  for (size_t begin = 0; begin < values.size(); begin += block) {
    float extreme = 0;
    for (size_t i = begin; i < begin + block; ++i) {
      extreme = std::max(extreme, std::fabs(values[i]));
    }
    for (size_t i = begin; i < begin + block; ++i) {
      TOME_CHECK(std::fabs(decoded[i] - values[i]) <= extreme + 1e-5F);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const tome::DType dtype = kTypes[data[0] % std::size(kTypes)];
  const auto* bytes = reinterpret_cast<const std::byte*>(data + 1);
  CheckDecode(dtype, bytes, size - 1);

  if (!tome::IsBlockQuantized(dtype)) return 0;
  const auto block = static_cast<size_t>(tome::TraitsOf(dtype).block_elements);
  const size_t given = std::min((size - 1) / sizeof(float), kMaxValues);
  std::vector<float> values((given + block - 1) / block * block);
  if (values.empty()) return 0;
  std::memcpy(values.data(), bytes, given * sizeof(float));
  const bool fits = std::all_of(values.begin(), values.end(),
                                [](float value) { return std::fabs(value) <= 65504; });
  try {
    CheckRoundTrip(dtype, values);
    TOME_CHECK(fits);
  } catch (const tome::Error& error) {
    TOME_CHECK(!fits && error.code() == tome::Code::kInvalidArgument);
  }
  return 0;
}
