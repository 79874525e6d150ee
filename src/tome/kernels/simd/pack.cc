#include <algorithm>
#include <cstring>

#include "tome/kernels/simd/panels.h"
#include "tome/kernels/simd/set.h"
#include "tome/tensor/codec.h"

namespace tome::TOME_KERNEL_SET {
namespace {

int64_t Panels(int64_t out) { return (out + kLanes - 1) / kLanes; }

template <typename Panel>
void PackPanel(const TensorView& weights, int64_t panel, std::byte* to) {
  using Stored = typename Panel::Stored;
  const int64_t blocks = weights.shape[1] / kRowBlock;
  const int64_t groups = blocks / Panel::kBlocks;
  std::byte* const header = to + blocks * Panel::kValueBytes;
  // All lanes of a group are packed before the next group. So the panel is written front to back,
  // while a few cache lines of each row are in the cache.
  const int64_t lanes = std::min<int64_t>(kLanes, weights.shape[0] - panel * kLanes);
  if (lanes < kLanes)
    std::memset(to, 0, static_cast<size_t>(PanelBytesOf(weights.dtype, weights.shape[1])));
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Stored stored;
      std::memcpy(&stored,
                  weights.row(panel * kLanes + lane) + g * static_cast<int64_t>(sizeof stored),
                  sizeof stored);
      Panel::Pack(stored, to + g * Panel::kBlocks * Panel::kValueBytes,
                  header + g * Panel::kHeaderBytes, lane);
    }
  }
}

// Writes columns [begin, begin + kRowBlock) of one row as BF16, with zeros after the last column.
void RoundRow(DType dtype, const std::byte* row, int64_t begin, int64_t in, uint16_t* out) {
  const int64_t count = std::min(kRowBlock, in - begin);
  if (dtype == DType::kBF16) {
    std::memcpy(out, row + begin * 2, static_cast<size_t>(count) * 2);
    std::fill(out + count, out + kRowBlock, uint16_t{0});
    return;
  }
  uint16_t halves[kRowBlock] = {};
  std::memcpy(halves, row + begin * 2, static_cast<size_t>(count) * 2);
  for (int64_t i = 0; i < kRowBlock; i += kLanes) StoreBF16(out + i, LoadF16(halves + i));
}

void PackPairs(const TensorView& weights, int64_t panel, std::byte* to) {
  const int64_t in = weights.shape[1];
  const int64_t lanes = std::min<int64_t>(kLanes, weights.shape[0] - panel * kLanes);
  alignas(64) uint16_t rows[kLanes][kRowBlock] = {};
  for (int64_t begin = 0; begin < in; begin += kRowBlock) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      RoundRow(weights.dtype, weights.row(panel * kLanes + lane), begin, in, rows[lane]);
    }
    for (int64_t pair = 0; pair < kRowBlock / 2; ++pair) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        std::memcpy(to + (pair * kLanes + lane) * 4, rows[lane] + 2 * pair, 4);
      }
    }
    to += kRowBlock * kLanes * 2;
  }
}

template <size_t kBytes>
void PackColumns(const TensorView& weights, int64_t panel, std::byte* to) {
  const int64_t in = weights.shape[1];
  const int64_t lanes = std::min<int64_t>(kLanes, weights.shape[0] - panel * kLanes);
  if (lanes < kLanes) std::memset(to, 0, static_cast<size_t>(in) * kLanes * kBytes);
  for (int64_t begin = 0; begin < in; begin += kRowBlock) {
    const int64_t end = std::min(in, begin + kRowBlock);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const std::byte* row = weights.row(panel * kLanes + lane);
      for (int64_t i = begin; i < end; ++i) {
        std::memcpy(to + static_cast<size_t>(i * kLanes + lane) * kBytes,
                    row + static_cast<size_t>(i) * kBytes, kBytes);
      }
    }
  }
}

void PackPlain(const TensorView& weights, int64_t panel, std::byte* to) {
  if (UsesBF16Dot(weights.dtype)) return PackPairs(weights, panel, to);
  if (weights.dtype == DType::kF32) return PackColumns<4>(weights, panel, to);
  PackColumns<2>(weights, panel, to);
}

}  // namespace

int64_t PackedBytes(DType dtype, int64_t out, int64_t in) noexcept {
  return Panels(out) * PanelBytesOf(dtype, in);
}

void Pack(const TensorView& weights, std::byte* packed, ThreadPool& threads) noexcept {
  const int64_t bytes = PanelBytesOf(weights.dtype, weights.shape[1]);
  threads.ParallelFor(Panels(weights.shape[0]), [&](int64_t panel, int) {
    std::byte* to = packed + panel * bytes;
    if (!IsBlockQuantized(weights.dtype)) return PackPlain(weights, panel, to);
    WithPanel(weights.dtype, [&]<typename Panel>() { PackPanel<Panel>(weights, panel, to); });
  });
}

}  // namespace tome::TOME_KERNEL_SET
