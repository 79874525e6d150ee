#include "tome/kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tome/kernels/simd/gemm.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/norm.h"
#include "tome/kernels/simd/panels.h"
#include "tome/kernels/simd/rows.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

#if defined(__AMX_INT8__)
constexpr bool kHasTiles = true;
#else
constexpr bool kHasTiles = false;
#endif

// --- Rows --------------------------------------------------------------------------------------

// The rows of a call in every form that its matrices need. They lie in MatmulArgs::scratch;
// `floats` may be MatmulArgs::x.
struct Rows {
  QuantizedTile* quantized = nullptr;  // [tiles][blocks]
  BF16Tile* rounded = nullptr;         // [tiles][blocks]
  const float* floats = nullptr;       // [tokens, in]
  int64_t tokens = 0;
  int64_t in = 0;
  int64_t blocks() const { return RowBlocks(in); }
};

enum class RowForm { kFloat, kRounded, kQuantized };
RowForm FormOf(DType dtype) {
  if (IsBlockQuantized(dtype)) return RowForm::kQuantized;
  return UsesBF16Dot(dtype) ? RowForm::kRounded : RowForm::kFloat;
}

void Quantize(const float (&x)[kRowBlock], QuantizedTile& tile, int64_t row) {
  // Magnitudes are compared as integers. A NaN is then larger than infinity, becomes the scale, and
  // so spoils the block.
  I32 most = ZeroI32();
  for (int64_t i = 0; i < kRowBlock; i += kLanes) most = MaxI32(most, BitsOf(Abs(Load(x + i))));
  float largest = 0;
  const int32_t bits = LargestI32(most);
  std::memcpy(&largest, &bits, sizeof largest);
  const bool tiny = largest < 0x1p-100F;
  const float inverse = tiny ? 0.0F : 127.0F / largest;
  int32_t sums[2] = {0, 0};
  for (int64_t i = 0; i < kRowBlock; i += kLanes) {
    // The bound keeps the integers in range where the scale is NaN.
    const I32 rounded = ToI32(Min(Mul(Load(x + i), Set(inverse)), Set(127)));
    StoreI8(tile.q[row] + i, rounded);
    sums[i / 16] += SumI32(rounded);
  }
  const int32_t sum = sums[0] + sums[1];
  const float d = tiny ? 0.0F : largest / 127.0F;
  tile.d[row] = d;
  tile.sum[row] = d * static_cast<float>(sum);
  tile.minus8[row] = -8 * sum;
  tile.minus128[row] = -128 * sum;
  tile.minus32[0][row] = -32 * sums[0];
  tile.minus32[1][row] = -32 * sums[1];
}

void PrepareRow(const MatmulArgs& args, const Rows& rows, float* floats, int64_t row) {
  const float* const x = args.x + row * args.in;
  const bool normalize = args.norm_weight != nullptr;
  const F32 factor = Set(normalize ? RmsFactor(x, args.in, args.norm_eps) : 1.0F);
  const int64_t tile = row / kTileRows * rows.blocks();
  alignas(64) float values[kRowBlock];
  for (int64_t block = 0; block < rows.blocks(); ++block) {
    const int64_t begin = block * kRowBlock;
    for (int64_t i = 0; i < kRowBlock; i += kLanes) {
      const int64_t left = args.in - begin - i;
      F32 value = LoadFirst(x + begin + i, left);
      if (normalize) value = Mul(LoadFirst(args.norm_weight + begin + i, left), Mul(value, factor));
      Store(values + i, value);
      if (floats != nullptr) StoreFirst(floats + row * args.in + begin + i, value, left);
    }
    if (rows.quantized != nullptr) Quantize(values, rows.quantized[tile + block], row % kTileRows);
    if (rows.rounded != nullptr) {
      uint16_t* const out = rows.rounded[tile + block].x[row % kTileRows];
      for (int64_t i = 0; i < kRowBlock; i += kLanes) StoreBF16(out + i, Load(values + i));
    }
  }
}

// The forms of rows that a call needs, and their places in its scratch.
struct RowLayout {
  bool quantized = false;
  bool rounded = false;
  bool floats = false;
  int64_t rounded_at = 0;  // bytes
  int64_t floats_at = 0;   // bytes
  int64_t bytes = 0;
};

RowLayout LayoutOf(const MatmulArgs& args) {
  RowLayout layout;
  const auto want = [&](const PackedMatrix& matrix) {
    if (matrix.data == nullptr) return;
    const RowForm form = FormOf(matrix.dtype);
    layout.quantized |= form == RowForm::kQuantized;
    layout.rounded |= form == RowForm::kRounded;
    layout.floats |= form == RowForm::kFloat;
  };
  for (const MatmulOutput& output : args.outputs) {
    want(output.weights);
    want(output.gate);
  }
  const int64_t count = Tiles(args.tokens) * RowBlocks(args.in);
  layout.rounded_at = layout.quantized ? count * static_cast<int64_t>(sizeof(QuantizedTile)) : 0;
  layout.floats_at =
      layout.rounded_at + (layout.rounded ? count * static_cast<int64_t>(sizeof(BF16Tile)) : 0);
  const bool copied = layout.floats && args.norm_weight != nullptr;
  layout.bytes =
      layout.floats_at + (copied ? args.tokens * args.in * static_cast<int64_t>(sizeof(float)) : 0);
  return layout;
}

Rows PrepareRows(const MatmulArgs& args, ThreadPool& threads) {
  const RowLayout layout = LayoutOf(args);
  const int64_t tiles = Tiles(args.tokens);
  Rows rows{.tokens = args.tokens, .in = args.in};
  if (layout.quantized) rows.quantized = reinterpret_cast<QuantizedTile*>(args.scratch);
  if (layout.rounded) rows.rounded = reinterpret_cast<BF16Tile*>(args.scratch + layout.rounded_at);
  float* floats = nullptr;
  if (layout.floats) {
    rows.floats = args.x;
    if (args.norm_weight != nullptr) {
      rows.floats = floats = reinterpret_cast<float*>(args.scratch + layout.floats_at);
    }
  }
  if (rows.quantized == nullptr && rows.rounded == nullptr && floats == nullptr) return rows;
  threads.ParallelFor(tiles, [&](int64_t tile, int) {
    const int64_t begin = tile * kTileRows;
    const int64_t end = std::min(args.tokens, begin + kTileRows);
    if (end - begin < kTileRows) {  // missing rows count as zero
      const auto bytes = static_cast<size_t>(rows.blocks());
      if (rows.quantized != nullptr) {
        std::memset(static_cast<void*>(rows.quantized + tile * rows.blocks()), 0,
                    bytes * sizeof(QuantizedTile));
      }
      if (rows.rounded != nullptr) {
        std::memset(rows.rounded + tile * rows.blocks(), 0, bytes * sizeof(BF16Tile));
      }
    }
    for (int64_t row = begin; row < end; ++row) PrepareRow(args, rows, floats, row);
  });
  return rows;
}

// --- Block-quantized weights -------------------------------------------------------------------

// The top bits of four bytes. Flipping them turns w into w + 128 and back.
constexpr int32_t kEveryTopBit = INT32_MIN | 0x808080;

template <typename Panel>
inline I32 Dot(I32 acc, Bytes u, Bytes q) {
  if constexpr (Panel::kBias != 128) return DotSmall(acc, u, q);
  if constexpr (kHasWideDot) return DotWide(acc, u, q);
  return DotSigned(acc, XorI32(u, SetI32(kEveryTopBit)), q);
}

// Most rows of AddRows. Each row is a chain of dependent products, and the chains run side by side.
template <typename Panel>
constexpr int kAbreast = kLanes == 16 && Panel::kKind != BlockKind::kHalves ? 8 : 4;

// Adds one block's products to the sums of rows [first, first + kRows) of a tile.
template <typename Panel, int kRows>
inline void AddRows(const Bytes (&u)[kBlockVectors], F32 d, F32 extra, const QuantizedTile& tile,
                    int64_t first, F32* sums) {
  constexpr bool kHalves = Panel::kKind == BlockKind::kHalves;
  I32 products[kRows];
  I32 upper[kRows];  // products of the second half of the columns
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const int64_t row = first + r;
    products[r] = ZeroI32();
    if constexpr (Panel::kKind == BlockKind::kOffset && (Panel::kBias != 128 || kHasWideDot)) {
      products[r] = BroadcastI32((Panel::kBias == 8 ? tile.minus8 : tile.minus128) + row);
    }
    if constexpr (kHalves) {
      products[r] = BroadcastI32(tile.minus32[0] + row);
      upper[r] = BroadcastI32(tile.minus32[1] + row);
    }
  }
  TOME_UNROLL
  for (int j = 0; j < kBlockVectors; ++j) {
    TOME_UNROLL
    for (int r = 0; r < kRows; ++r) {
      I32& sum = kHalves && j >= kBlockVectors / 2 ? upper[r] : products[r];
      sum = Dot<Panel>(sum, u[j], Broadcast4(tile.q[first + r] + 4 * j));
    }
  }
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const int64_t row = first + r;
    const F32 scale = BroadcastF32(tile.d + row);
    sums[r] = Fma(ToF32(products[r]), Mul(d, scale), sums[r]);
    if constexpr (kHalves) sums[r] = Fma(ToF32(upper[r]), Mul(extra, scale), sums[r]);
    if constexpr (Panel::kKind == BlockKind::kMin) {
      sums[r] = Fma(extra, BroadcastF32(tile.sum + row), sums[r]);
    }
  }
}

template <typename Panel, int kRows>
inline void AddBlock(const Bytes (&u)[kBlockVectors], F32 d, F32 extra, const QuantizedTile& tile,
                     int64_t first, F32 (&sums)[kRows]) {
  constexpr int kStep = kAbreast<Panel>;
  constexpr int kWhole = kRows / kStep * kStep;
  TOME_UNROLL
  for (int r = 0; r < kWhole; r += kStep) {
    AddRows<Panel, kStep>(u, d, extra, tile, first + r, sums + r);
  }
  if constexpr (kRows > kWhole) {
    AddRows<Panel, kRows - kWhole>(u, d, extra, tile, first + kWhole, sums + kWhole);
  }
}

// Multiplies few rows with one panel. Weights are read from memory once and unpacked as they come.
template <typename Panel, int kRows>
void MultiplyFew(const std::byte* panel, int64_t blocks, const QuantizedTile* tiles, float* out) {
  F32 sums[kRows];
  TOME_UNROLL
  for (F32& sum : sums) sum = Zero();
  const std::byte* values = panel;
  const std::byte* header = panel + blocks * Panel::kValueBytes;
  constexpr int64_t kAhead = 4096;  // bytes, far enough for memory to answer in time
  for (int64_t block = 0; block < blocks; block += Panel::kBlocks, header += Panel::kHeaderBytes) {
    Scales<Panel::kBlocks> scales;
    Panel::UnpackScales(header, scales);
    for (int s = 0; s < Panel::kBlocks; ++s, values += Panel::kValueBytes) {
      for (int line = 0; line < Panel::kValueBytes; line += 64) Prefetch(values + kAhead + line);
      Block unpacked;
      Panel::Unpack(values, unpacked);
      AddBlock<Panel, kRows>(unpacked.u, scales.d[s], scales.extra[s], tiles[block + s], 0, sums);
    }
  }
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) Store(out + r * kLanes, sums[r]);
}

template <typename Panel>
void MultiplyFewRows(const std::byte* panel, int64_t blocks, const QuantizedTile* tiles,
                     int64_t rows, float* out) {
  // The number of rows is rounded up. Additional rows of a tile are zero and cost little; a second
  // call for a remainder would read the weights again.
  if (rows <= 1) return MultiplyFew<Panel, 1>(panel, blocks, tiles, out);
  if (rows <= 2) return MultiplyFew<Panel, 2>(panel, blocks, tiles, out);
  if (rows <= 3) return MultiplyFew<Panel, 3>(panel, blocks, tiles, out);
  if (rows <= 4) return MultiplyFew<Panel, 4>(panel, blocks, tiles, out);
  if (rows <= 6) return MultiplyFew<Panel, 6>(panel, blocks, tiles, out);
  if (rows <= 8) return MultiplyFew<Panel, 8>(panel, blocks, tiles, out);
  if (rows <= 12) return MultiplyFew<Panel, 12>(panel, blocks, tiles, out);
  MultiplyFew<Panel, 16>(panel, blocks, tiles, out);
}

// A block of a panel that is unpacked once for many rows.
struct UnpackedBlock {
  Bytes u[kBlockVectors];
  F32 d;
  F32 extra;
};

// Unpacks blocks [begin, end) of a panel. For tile registers, bytes become signed, without bias.
template <typename Panel>
void UnpackBlocks(const std::byte* panel, int64_t blocks, int64_t begin, int64_t end,
                  UnpackedBlock* out) {
  const std::byte* values = panel + begin * Panel::kValueBytes;
  const std::byte* header =
      panel + blocks * Panel::kValueBytes + begin / Panel::kBlocks * Panel::kHeaderBytes;
  for (int64_t block = begin; block < end; block += Panel::kBlocks, header += Panel::kHeaderBytes) {
    Scales<Panel::kBlocks> scales;
    Panel::UnpackScales(header, scales);
    for (int s = 0; s < Panel::kBlocks; ++s, values += Panel::kValueBytes, ++out) {
      Block unpacked;
      Panel::Unpack(values, unpacked);
      TOME_UNROLL
      for (int j = 0; j < kBlockVectors; ++j) {
        Bytes u = unpacked.u[j];
        if constexpr (kHasTiles && Panel::kBias == 128) u = XorI32(u, SetI32(kEveryTopBit));
        if constexpr (kHasTiles && Panel::kBias != 0 && Panel::kBias != 128) {
          u = AddBytes(u, SetI32(static_cast<int32_t>(static_cast<uint32_t>(256 - Panel::kBias) *
                                                      0x01010101U)));
        }
        out->u[j] = u;
      }
      out->d = scales.d[s];
      out->extra = Panel::kKind == BlockKind::kOffset ? Zero() : scales.extra[s];
    }
  }
}

#if defined(__AMX_INT8__)
// Multiplies one block of a panel with a tile's rows, in tile registers `sum`, `row` and `column`.
// It is a macro because the intrinsics take only literals.
#define TOME_MULTIPLY_BLOCK(sum, row, column, q, u, to) \
  _tile_zero(sum);                                      \
  _tile_loadd(row, q, kRowBlock);                       \
  _tile_loadd(column, u, kVectorBytes);                 \
  _tile_dpbssd(sum, row, column);                       \
  _tile_stored(sum, to, kVectorBytes)

// The products of one tile register.
using TileProducts = int32_t[kTileRows][kLanes];
// Products in flight. One takes some fifty cycles, and the next can start after a third of that.
constexpr int64_t kUnderWay = 4;

// Adds the products of a tile's rows and `count` blocks to `c`. Products are integers in tile
// registers and are then added as in AddBlock. While the floats of some blocks are added, the tile
// products of the next blocks run.
template <typename Panel, int kRows>
void MultiplyTile(const UnpackedBlock* blocks, int64_t count, const QuantizedTile* tile, float* c,
                  int64_t c_row) {
  constexpr bool kHalves = Panel::kKind == BlockKind::kHalves;  // two products a block
  constexpr int64_t kStep = kHalves ? kUnderWay / 2 : kUnderWay;
  F32 sums[kRows];
  TOME_UNROLL
  for (int64_t r = 0; r < kRows; ++r) sums[r] = Load(c + r * c_row);
  alignas(64) TileProducts products[2][kUnderWay];
  const auto multiply = [&](int64_t first, TileProducts(&to)[kUnderWay]) {
    WritesBeforeTileLoads();
    const int64_t left = count - first;
    if (left <= 0) return;
    const QuantizedTile* const q = tile + first;
    const UnpackedBlock* const b = blocks + first;
    if constexpr (kHalves) {
      constexpr int64_t kHalf = kRowBlock / 2;
      constexpr int64_t kHalfVectors = kBlockVectors / 2;
      TOME_MULTIPLY_BLOCK(0, 4, 6, q[0].q[0], b[0].u, to[0]);
      TOME_MULTIPLY_BLOCK(1, 5, 7, q[0].q[0] + kHalf, b[0].u + kHalfVectors, to[1]);
      if (left <= 1) return;
      TOME_MULTIPLY_BLOCK(2, 4, 6, q[1].q[0], b[1].u, to[2]);
      TOME_MULTIPLY_BLOCK(3, 5, 7, q[1].q[0] + kHalf, b[1].u + kHalfVectors, to[3]);
    } else {
      TOME_MULTIPLY_BLOCK(0, 4, 6, q[0].q[0], b[0].u, to[0]);
      if (left <= 1) return;
      TOME_MULTIPLY_BLOCK(1, 5, 7, q[1].q[0], b[1].u, to[1]);
      if (left <= 2) return;
      TOME_MULTIPLY_BLOCK(2, 4, 6, q[2].q[0], b[2].u, to[2]);
      if (left <= 3) return;
      TOME_MULTIPLY_BLOCK(3, 5, 7, q[3].q[0], b[3].u, to[3]);
    }
  };
  const auto add = [&](int64_t b, const TileProducts& product, F32 scale_of_panel) {
    TOME_UNROLL
    for (int64_t r = 0; r < kRows; ++r) {
      const F32 scale = Mul(scale_of_panel, BroadcastF32(tile[b].d + r));
      sums[r] = Fma(ToF32(LoadI32(product[r])), scale, sums[r]);
    }
  };
  multiply(0, products[0]);
  for (int64_t first = 0; first < count; first += kStep) {
    multiply(first + kStep, products[(first / kStep + 1) % 2]);
    const auto& done = products[first / kStep % 2];
    const int64_t end = std::min(count, first + kStep);
    for (int64_t b = first; b < end; ++b) {
      if constexpr (kHalves) {
        add(b, done[2 * (b - first)], blocks[b].d);
        add(b, done[2 * (b - first) + 1], blocks[b].extra);
        continue;
      }
      add(b, done[b - first], blocks[b].d);
      if constexpr (Panel::kKind == BlockKind::kMin) {
        TOME_UNROLL
        for (int64_t r = 0; r < kRows; ++r) {
          sums[r] = Fma(blocks[b].extra, BroadcastF32(tile[b].sum + r), sums[r]);
        }
      }
    }
  }
  TOME_UNROLL
  for (int64_t r = 0; r < kRows; ++r) Store(c + r * c_row, sums[r]);
}
#undef TOME_MULTIPLY_BLOCK
#else
// Tiles of rows are prefetched from the L2 cache, this many tiles before their use.
constexpr int64_t kTilesAhead = 6;
inline void PrefetchTile(const QuantizedTile* tile) {
  constexpr int64_t kUsed = sizeof tile->q + sizeof tile->d + sizeof tile->sum;
  const auto* const bytes = reinterpret_cast<const std::byte*>(tile);
  TOME_UNROLL
  for (int64_t line = 0; line < kUsed; line += 64) Prefetch(bytes + line);
}

template <typename Panel, int kRows>
void MultiplyTile(const UnpackedBlock* blocks, int64_t count, const QuantizedTile* tile, float* c,
                  int64_t c_row) {
  constexpr int kStep = kLanes == 16 ? kRows : 4;
  for (int64_t row = 0; row < kRows; row += kStep) {
    F32 sums[kStep];
    TOME_UNROLL
    for (int r = 0; r < kStep; ++r) sums[r] = Load(c + (row + r) * c_row);
    for (int64_t b = 0; b < count; ++b) {
      if (row == 0) PrefetchTile(tile + b + kTilesAhead);
      AddBlock<Panel, kStep>(blocks[b].u, blocks[b].d, blocks[b].extra, tile[b], row, sums);
    }
    TOME_UNROLL
    for (int r = 0; r < kStep; ++r) Store(c + (row + r) * c_row, sums[r]);
  }
}
#endif

// --- Tasks -------------------------------------------------------------------------------------

// Rows and panels of one task. Its sums stay in the L2 cache, its unpacked weights in the L1 cache.
constexpr int64_t kTaskRows = 256;
constexpr int64_t kTaskPanels = 4;
constexpr int64_t kTaskColumns = kTaskPanels * kLanes;
// Blocks that are unpacked together: 1024 columns of W, which are whole groups of every type.
constexpr int64_t kChunkBlocks = 32;
// With at most this many rows, weights are unpacked as they come from memory.
constexpr int64_t kFewRows = 16;

// Rows [row_begin, row_end) of the call, panels [panel_begin, panel_end) of one output.
struct Task {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  int64_t panel_begin = 0;
  int64_t panel_end = 0;
};

using Sums = float[kTaskRows * kTaskColumns];  // [row][panel · kLanes]

const std::byte* PanelAt(const PackedMatrix& matrix, int64_t panel) {
  return matrix.data + panel * PanelBytesOf(matrix.dtype, matrix.in);
}

template <typename Panel>
void MultiplyQuantized(const PackedMatrix& matrix, const Rows& rows, const Task& task,
                       float* sums) {
  const int64_t blocks = rows.blocks();
  const int64_t panels = task.panel_end - task.panel_begin;
  const int64_t count = task.row_end - task.row_begin;
  if (rows.tokens <= kFewRows) {
    alignas(64) float out[kTileRows * kLanes];
    for (int64_t p = 0; p < panels; ++p) {
      MultiplyFewRows<Panel>(PanelAt(matrix, task.panel_begin + p), blocks, rows.quantized, count,
                             out);
      for (int64_t r = 0; r < count; ++r) {
        Store(sums + r * kTaskColumns + p * kLanes, Load(out + r * kLanes));
      }
    }
    return;
  }
#if defined(__AMX_INT8__)
  const TileScope scope(16, Panel::kKind == BlockKind::kHalves ? 16 : 32);
#endif
  const int64_t tiles = Tiles(count);
  std::memset(sums, 0, static_cast<size_t>(tiles * kTileRows * kTaskColumns) * sizeof(float));
  alignas(64) UnpackedBlock unpacked[kTaskPanels][kChunkBlocks];
  for (int64_t begin = 0; begin < blocks; begin += kChunkBlocks) {
    const int64_t end = std::min(blocks, begin + kChunkBlocks);
    for (int64_t p = 0; p < panels; ++p) {
      UnpackBlocks<Panel>(PanelAt(matrix, task.panel_begin + p), blocks, begin, end, unpacked[p]);
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const QuantizedTile* const q =
          rows.quantized + (task.row_begin / kTileRows + tile) * blocks + begin;
      for (int64_t p = 0; p < panels; ++p) {
        float* const c = sums + tile * kTileRows * kTaskColumns + p * kLanes;
        const int64_t left = count - tile * kTileRows;
        if (left <= 4) {
          MultiplyTile<Panel, 4>(unpacked[p], end - begin, q, c, kTaskColumns);
        } else if (left <= 8) {
          MultiplyTile<Panel, 8>(unpacked[p], end - begin, q, c, kTaskColumns);
        } else {
          MultiplyTile<Panel, kTileRows>(unpacked[p], end - begin, q, c, kTaskColumns);
        }
      }
    }
  }
}

template <typename Dot>
void MultiplyPlain(const PackedMatrix& matrix, const Rows& rows, const Task& task, float* sums) {
  constexpr bool kRounded = std::is_same_v<Dot, BF16PairDot>;
  const int64_t panels = task.panel_end - task.panel_begin;
  const int64_t count = task.row_end - task.row_begin;
  const int64_t blocks = rows.blocks();
  // Few rows read the weights only once, so a chunk is a whole row. Many rows read a chunk again,
  // and it must stay in the cache.
  const int64_t chunk = count <= 6 ? blocks : kChunkBlocks / 2;
#if defined(__AMX_BF16__)
  const TileScope scope(static_cast<int>(std::min(count, kTileRows)), 64);
#endif
  for (int64_t begin = 0; begin < blocks; begin += chunk) {
    const int64_t end = std::min(blocks, begin + chunk);
    GemmArgs args{
        .b = PanelAt(matrix, task.panel_begin) + begin * Dot::kStepsPerBlock * Dot::kVectorBytes,
        .b_step = Dot::kVectorBytes,
        .b_vector = PanelBytesOf(matrix.dtype, matrix.in),
        .c_row = kTaskColumns,
        .add = begin > 0};
    for (int64_t row = 0; row < count; row += kTileRows) {
      args.c = sums + row * kTaskColumns;
      if constexpr (kRounded) {
        const int64_t tile = (task.row_begin + row) / kTileRows;
        args.a = reinterpret_cast<const std::byte*>(rows.rounded + tile * blocks + begin);
        args.a_row = kRowBlock * 2;
        args.a_block = sizeof(BF16Tile);
        args.steps = (end - begin) * Dot::kStepsPerBlock;
      } else {
        args.a = reinterpret_cast<const std::byte*>(rows.floats + (task.row_begin + row) * rows.in +
                                                    begin * kRowBlock);
        args.a_row = rows.in * 4;
        args.a_block = kRowBlock * 4;
        args.steps = std::min(rows.in, end * kRowBlock) - begin * kRowBlock;
      }
      Gemm<Dot>(args, std::min(kTileRows, count - row), panels);
    }
  }
}

void Multiply(const PackedMatrix& matrix, const Rows& rows, const Task& task, float* sums) {
  switch (matrix.dtype) {
    case DType::kF32:
      return MultiplyPlain<F32Dot>(matrix, rows, task, sums);
    case DType::kF16:
      if constexpr (kHasBF16Dot) return MultiplyPlain<BF16PairDot>(matrix, rows, task, sums);
      return MultiplyPlain<F16WeightDot>(matrix, rows, task, sums);
    case DType::kBF16:
      if constexpr (kHasBF16Dot) return MultiplyPlain<BF16PairDot>(matrix, rows, task, sums);
      return MultiplyPlain<BF16WeightDot>(matrix, rows, task, sums);
    default:
      WithPanel(matrix.dtype,
                [&]<typename Panel>() { MultiplyQuantized<Panel>(matrix, rows, task, sums); });
  }
}

// Applies bias, activation, gate and residual, and moves the sums of the panels into rows of y.
template <Activation kActivation>
void FinishWith(const MatmulOutput& output, const Task& task, const float* sums,
                const float* gates) {
  const int64_t out = output.weights.out;
  for (int64_t row = task.row_begin; row < task.row_end; ++row) {
    const int64_t at = (row - task.row_begin) * kTaskColumns;
    for (int64_t panel = task.panel_begin; panel < task.panel_end; ++panel) {
      const int64_t column = panel * kLanes;
      const int64_t left = out - column;
      const int64_t lane = at + (panel - task.panel_begin) * kLanes;
      float* const y = output.y + row * out + column;
      F32 value = Load(sums + lane);
      if (output.bias != nullptr) value = Add(value, LoadFirst(output.bias + column, left));
      value = gates != nullptr ? Mul(Activate<kActivation>(Load(gates + lane)), value)
                               : Activate<kActivation>(value);
      if (output.add) value = Add(LoadFirst(y, left), value);
      StoreFirst(y, value, left);
    }
  }
}

void Finish(const MatmulOutput& output, const Task& task, const float* sums, const float* gates) {
  switch (output.activation) {
    case Activation::kNone:
      return FinishWith<Activation::kNone>(output, task, sums, gates);
    case Activation::kSilu:
      return FinishWith<Activation::kSilu>(output, task, sums, gates);
    case Activation::kGeluTanh:
      return FinishWith<Activation::kGeluTanh>(output, task, sums, gates);
    case Activation::kGelu:
      return FinishWith<Activation::kGelu>(output, task, sums, gates);
  }
}

void RunTask(const MatmulOutput& output, const Rows& rows, const Task& task) {
  alignas(64) Sums sums;
  Multiply(output.weights, rows, task, sums);
  if (output.gate.data == nullptr) return Finish(output, task, sums, nullptr);
  alignas(64) Sums gates;
  Multiply(output.gate, rows, task, gates);
  Finish(output, task, sums, gates);
}

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Returns the panels of one task of an output: few enough that every thread gets several tasks.
int64_t PanelsPerTask(const MatmulOutput& output, int64_t row_chunks, int threads) {
  const int64_t panels = CeilDiv(output.weights.out, kLanes);
  return std::clamp<int64_t>(panels * row_chunks / (int64_t{4} * threads), 1, kTaskPanels);
}

}  // namespace

int64_t MatmulScratch(const MatmulArgs& args) noexcept { return LayoutOf(args).bytes; }

void Matmul(const MatmulArgs& args, ThreadPool& threads) noexcept {
  if (args.tokens == 0) return;
  const Rows rows = PrepareRows(args, threads);
  const int64_t row_chunks = CeilDiv(args.tokens, kTaskRows);
  int64_t tasks = 0;
  for (const MatmulOutput& output : args.outputs) {
    const int64_t panels = PanelsPerTask(output, row_chunks, threads.threads());
    tasks += row_chunks * CeilDiv(CeilDiv(output.weights.out, kLanes), panels);
  }
  threads.ParallelFor(tasks, [&](int64_t index, int) {
    for (const MatmulOutput& output : args.outputs) {
      const int64_t panels = CeilDiv(output.weights.out, kLanes);
      const int64_t step = PanelsPerTask(output, row_chunks, threads.threads());
      const int64_t groups = CeilDiv(panels, step);
      if (index >= row_chunks * groups) {
        index -= row_chunks * groups;
        continue;
      }
      const int64_t chunk = index / groups;
      const int64_t first = index % groups * step;
      return RunTask(output, rows,
                     {.row_begin = chunk * kTaskRows,
                      .row_end = std::min(args.tokens, (chunk + 1) * kTaskRows),
                      .panel_begin = first,
                      .panel_end = std::min(panels, first + step)});
    }
  });
}

}  // namespace tome::TOME_KERNEL_SET
