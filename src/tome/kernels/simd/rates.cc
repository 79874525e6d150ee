#include "tome/kernels/rates.h"

#include "tome/kernels/simd/gemm.h"
#include "tome/kernels/simd/set.h"
#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Number of independent chains of instructions, enough to hide the latency of each instruction.
constexpr int kChains = kLanes == 16 ? 20 : 10;

int64_t ProbeF32(int64_t rounds) noexcept {
  F32 sums[kChains];
  for (F32& sum : sums) sum = Set(1);
  F32 a = Set(0.999F);
  F32 b = Set(0.001F);
  asm volatile("" : "+v"(a), "+v"(b));
  for (int64_t i = 0; i < rounds; ++i) {
    TOME_UNROLL
    for (F32& sum : sums) {
      sum = Fma(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
  }
  return rounds * kChains * kLanes * 2;
}

#if defined(__AMX_INT8__)

template <bool kInt8>
int64_t ProbeTiles(int64_t rounds) noexcept {
  const TileScope scope(16, 64);
  alignas(64) static constexpr std::byte kZeros[1024] = {};
  _tile_loadd(4, kZeros, 64);
  _tile_loadd(5, kZeros, 64);
  _tile_loadd(6, kZeros, 64);
  _tile_loadd(7, kZeros, 64);
  for (int64_t i = 0; i < rounds; ++i) {
    if constexpr (kInt8) {
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
    } else {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  return rounds * 4 * 16 * 16 * (kInt8 ? 64 : 32) * 2;
}
int64_t ProbeInt8(int64_t rounds) noexcept { return ProbeTiles<true>(rounds); }
int64_t ProbeBF16(int64_t rounds) noexcept { return ProbeTiles<false>(rounds); }

#else

int64_t ProbeInt8(int64_t rounds) noexcept {
  I32 sums[kChains];
  TOME_UNROLL
  for (I32& sum : sums) sum = ZeroI32();
  I32 a = SetI32(0x01010101);
  I32 b = SetI32(0x01010101);
  asm volatile("" : "+v"(a), "+v"(b));
  for (int64_t i = 0; i < rounds; ++i) {
    TOME_UNROLL
    for (I32& sum : sums) {
      sum = DotSmall(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
  }
  return rounds * kChains * kLanes * 4 * 2;
}

int64_t ProbeBF16(int64_t rounds) noexcept {
  F32 sums[kChains];
  TOME_UNROLL
  for (F32& sum : sums) sum = Zero();
  I32 a = ZeroI32();
  I32 b = ZeroI32();
  asm volatile("" : "+v"(a), "+v"(b));
  for (int64_t i = 0; i < rounds; ++i) {
    TOME_UNROLL
    for (F32& sum : sums) {
      sum = DotBF16(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
  }
  return rounds * kChains * kLanes * 2 * 2;
}

#endif

}  // namespace

RateProbes Rates() noexcept {
  return {.f32 = ProbeF32, .bf16 = kHasBF16Dot ? ProbeBF16 : nullptr, .int8 = ProbeInt8};
}

}  // namespace tome::TOME_KERNEL_SET
