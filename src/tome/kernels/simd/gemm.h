// Gemm computes C [rows, columns] (+)= A [rows, k] · B [k, columns]: the inner loop of attention,
// retention, compressive memories and products with plain weights. Each element of C is summed over
// k in ascending order, whatever the number of rows and columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tome/kernels/simd/rows.h"
#include "tome/kernels/simd/simd.h"

#if defined(__AMX_BF16__)
#include "tome/kernels/avx512/amx.h"
#endif

namespace tome::TOME_KERNEL_SET {

// How an element of A and a vector of B multiply. A step is one k, or in BF16PairDot a pair of k.
struct F32Dot {
  static constexpr int kVectorBytes = 4 * kLanes;  // of a vector of B
  static constexpr int64_t kStepsPerBlock = kRowBlock;
  using A = F32;
  static A LoadA(const std::byte* p) { return BroadcastF32(reinterpret_cast<const float*>(p)); }
  static F32 LoadB(const std::byte* p) { return Load(reinterpret_cast<const float*>(p)); }
  static F32 MultiplyAdd(A a, F32 b, F32 c) { return Fma(a, b, c); }
};
struct F16WeightDot : F32Dot {
  static constexpr int kVectorBytes = 2 * kLanes;
  static F32 LoadB(const std::byte* p) { return LoadF16(p); }
};
struct BF16WeightDot : F32Dot {
  static constexpr int kVectorBytes = 2 * kLanes;
  static F32 LoadB(const std::byte* p) { return LoadBF16(p); }
};
struct BF16PairDot {
  static constexpr int kVectorBytes = 4 * kLanes;
  static constexpr int64_t kStepsPerBlock = kRowBlock / 2;
  using A = I32;
  static A LoadA(const std::byte* p) { return Broadcast4(p); }
  static I32 LoadB(const std::byte* p) { return LoadI32(p); }
  static F32 MultiplyAdd(A a, I32 b, F32 c) { return DotBF16(c, a, b); }
};

// The places of A, B and C. Strides are in bytes for A and B and in floats for C. An element of A
// has 4 bytes (a float, or a pair of BF16). kStepsPerBlock elements of a row are contiguous; the
// next block is a_block bytes further.
struct GemmArgs {
  const std::byte* a = nullptr;
  int64_t a_row = 0;
  int64_t a_block = 0;
  const std::byte* b = nullptr;
  int64_t b_step = 0;    // from one step to the next
  int64_t b_vector = 0;  // from kLanes columns to the next
  float* c = nullptr;
  int64_t c_row = 0;
  int64_t steps = 0;
  bool add = false;  // add to C instead of overwriting it
};

template <typename Dot, int kRows, int kVectors>
inline void GemmTile(const GemmArgs& g, int64_t row, int64_t vector) {
  F32 sums[kRows][kVectors];
  float* const c = g.c + row * g.c_row + vector * kLanes;
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    TOME_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = g.add ? Load(c + r * g.c_row + v * kLanes) : Zero();
    }
  }
  const std::byte* a = g.a + row * g.a_row;
  const std::byte* b = g.b + vector * g.b_vector;
  for (int64_t left = g.steps; left > 0; left -= Dot::kStepsPerBlock, a += g.a_block) {
    const int64_t steps = left < Dot::kStepsPerBlock ? left : Dot::kStepsPerBlock;
    for (int64_t k = 0; k < steps; ++k, b += g.b_step) {
      decltype(Dot::LoadB(b)) column[kVectors];
      TOME_UNROLL
      for (int v = 0; v < kVectors; ++v) column[v] = Dot::LoadB(b + v * g.b_vector);
      TOME_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const typename Dot::A x = Dot::LoadA(a + r * g.a_row + 4 * k);
        TOME_UNROLL
        for (int v = 0; v < kVectors; ++v) {
          sums[r][v] = Dot::MultiplyAdd(x, column[v], sums[r][v]);
        }
      }
    }
  }
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    TOME_UNROLL
    for (int v = 0; v < kVectors; ++v) Store(c + r * g.c_row + v * kLanes, sums[r][v]);
  }
}

template <typename Dot, int kVectors>
inline void GemmRows(const GemmArgs& g, int64_t rows, int64_t vector) {
  // The largest number of rows whose sums leave registers for a column and an element.
  constexpr int kMost = kLanes == 16 ? 6 : 24 / kLanes * 4 / kVectors;
  int64_t row = 0;
  for (; row + kMost <= rows; row += kMost) GemmTile<Dot, kMost, kVectors>(g, row, vector);
  if constexpr (kMost > 4) {
    if (row + 4 <= rows) {
      GemmTile<Dot, 4, kVectors>(g, row, vector);
      row += 4;
    }
  }
  if (row + 2 <= rows) {
    GemmTile<Dot, 2, kVectors>(g, row, vector);
    row += 2;
  }
  for (; row < rows; ++row) GemmTile<Dot, 1, kVectors>(g, row, vector);
}

template <typename Dot>
inline void Gemm(const GemmArgs& g, int64_t rows, int64_t vectors) {
#if defined(__AMX_BF16__)
  if constexpr (std::is_same_v<Dot, BF16PairDot>) {
    for (int64_t row = 0; row < rows; row += kTileRows) {
      GemmArgs tile = g;
      tile.a += row * g.a_row;
      tile.c += row * g.c_row;
      TileSteps<GemmArgs>(tile, vectors).Finish();
    }
    return;
  }
#endif
  constexpr int kMost = kLanes == 16 ? 4 : 2;
  int64_t vector = 0;
  for (; vector + kMost <= vectors; vector += kMost) GemmRows<Dot, kMost>(g, rows, vector);
  for (; vector < vectors; ++vector) GemmRows<Dot, 1>(g, rows, vector);
}

// Gemm of at most kTileRows rows in steps, so that other work can be done between two steps. With
// tile registers it has several steps (TileSteps), otherwise one.
template <typename Dot>
class GemmSteps {
 public:
  GemmSteps() = default;
  GemmSteps(const GemmArgs& args, int64_t rows, int64_t vectors)
      : args_(args), rows_(rows), vectors_(vectors) {}
  int64_t steps() const { return rows_ == 0 ? 0 : 1; }
  bool Step() {
    if (rows_ == 0) return false;
    Gemm<Dot>(args_, rows_, vectors_);
    rows_ = 0;
    return true;
  }
  void Finish() { Step(); }

 private:
  GemmArgs args_;
  int64_t rows_ = 0;
  int64_t vectors_ = 0;
};
#if defined(__AMX_BF16__)
template <>
class GemmSteps<BF16PairDot> : public TileSteps<GemmArgs> {
 public:
  GemmSteps() = default;
  GemmSteps(const GemmArgs& args, int64_t /*rows*/, int64_t vectors) : TileSteps(args, vectors) {}
};
#endif

}  // namespace tome::TOME_KERNEL_SET
