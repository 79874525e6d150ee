// Products in tile registers (AMX), of up to 16 rows of A with 16 columns of B.
//
// A thread that uses tiles holds a TileScope. It loads the shapes once, and releases the registers
// at its end, so that the system need not save them.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "tome/kernels/simd/rows.h"

namespace tome::TOME_KERNEL_SET {

// Makes the compiler finish earlier writes to memory. g++ 12 does not know that tile loads and
// ldtilecfg read memory.
inline void WritesBeforeTileLoads() { asm volatile("" ::: "memory"); }

// Tiles 0 to 3 are sums (16 columns of 32 bits), 4 and 5 are rows of A, 6 and 7 columns of B.
class TileScope {
 public:
  // A product reads `bytes` (at most 64) of each of `rows` rows of A (at most 16).
  TileScope(int rows, int bytes) {
    struct alignas(64) Shapes {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shapes;
    for (int tile = 0; tile < 4; ++tile) {
      shapes.row_bytes[tile] = 64;
      shapes.rows[tile] = static_cast<uint8_t>(rows);
    }
    for (int tile = 4; tile < 6; ++tile) {
      shapes.row_bytes[tile] = static_cast<uint16_t>(bytes);
      shapes.rows[tile] = static_cast<uint8_t>(rows);
    }
    for (int tile = 6; tile < 8; ++tile) {
      shapes.row_bytes[tile] = 64;
      shapes.rows[tile] = static_cast<uint8_t>(bytes / 4);
    }
    WritesBeforeTileLoads();
    _tile_loadconfig(&shapes);
  }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
  ~TileScope() { _tile_release(); }
};

// Gemm of BF16 pairs inside a TileScope(rows, 64), at most 16 rows, step by step. Vector
// instructions between two steps run while tiles multiply. Four vectors of columns are taken
// together, or one, block by block of 16 pairs. `args.steps` are whole blocks.
template <typename Args>
class TileSteps {
 public:
  TileSteps() = default;
  TileSteps(const Args& args, int64_t vectors)
      : args_(args),
        b_bytes_(static_cast<size_t>(args.b_step)),
        c_bytes_(static_cast<size_t>(args.c_row) * 4),
        left_(vectors) {
    WritesBeforeTileLoads();
    BeginColumns();
  }

  // Returns the number of steps. Each step is a product of two tiles.
  int64_t steps() const { return left_ * ((args_.steps + kBlock - 1) / kBlock); }

  // Does the next step. Returns false if all steps were done before.
  bool Step() {
    if (left_ == 0) return false;
    if (tile_ == 0) _tile_loadd(4, a_, static_cast<size_t>(args_.a_row));
// Numbers of tile registers are parts of instructions, and g++ 12 takes only literals.
#define TOME_TILE_STEP(SUM, B)                           \
  if (first_ && args_.add) {                             \
    _tile_loadd(SUM, c_ + SUM * 16, c_bytes_);           \
  } else if (first_) {                                   \
    _tile_zero(SUM);                                     \
  }                                                      \
  _tile_loadd(B, b_ + SUM * args_.b_vector, b_bytes_);   \
  _tile_dpbf16ps(SUM, 4, B);                             \
  if (last_) _tile_stored(SUM, c_ + SUM * 16, c_bytes_); \
  break
    switch (tile_) {
      case 0:
        TOME_TILE_STEP(0, 6);
      case 1:
        TOME_TILE_STEP(1, 7);
      case 2:
        TOME_TILE_STEP(2, 6);
      default:
        TOME_TILE_STEP(3, 7);
    }
#undef TOME_TILE_STEP
    if (++tile_ == together_) NextBlock();
    return true;
  }

  void Finish() {
    while (Step()) {
    }
  }

 private:
  static constexpr int64_t kBlock = kRowBlock / 2;

  void BeginColumns() {
    together_ = left_ >= 4 ? 4 : 1;
    a_ = args_.a;
    b_ = args_.b;
    c_ = args_.c;
    k_ = 0;
    first_ = true;
    last_ = kBlock >= args_.steps;
  }

  void NextBlock() {
    tile_ = 0;
    k_ += kBlock;
    if (k_ < args_.steps) {
      a_ += args_.a_block;
      b_ += kBlock * args_.b_step;
      first_ = false;
      last_ = k_ + kBlock >= args_.steps;
      return;
    }
    left_ -= together_;
    args_.b += together_ * args_.b_vector;
    args_.c += together_ * 16;
    BeginColumns();
  }

  Args args_;  // `b` and `c` begin at the columns that are left
  size_t b_bytes_ = 0;
  size_t c_bytes_ = 0;
  int64_t left_ = 0;      // vectors of columns that are left
  int64_t together_ = 0;  // vectors that are taken together
  int64_t tile_ = 0;      // number of the next sum's tile
  const std::byte* a_ = nullptr;
  const std::byte* b_ = nullptr;
  float* c_ = nullptr;
  int64_t k_ = 0;       // first step of the block
  bool first_ = false;  // the block is the first
  bool last_ = false;   // the block is the last
};

}  // namespace tome::TOME_KERNEL_SET
