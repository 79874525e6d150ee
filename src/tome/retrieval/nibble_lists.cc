#include "tome/retrieval/nibble_lists.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tome/base/error.h"
#include "tome/retrieval/quantized_vectors.h"

namespace tome {
namespace {

constexpr int64_t kSlabBytes = int64_t{32} << 20;

}  // namespace

void TurnForNibbles(std::span<float> vectors, int64_t width, const Compute& compute) {
  const int64_t block = std::min(HadamardBlock(width), kMaxHeadSize);
  if (block == 1) return;
  compute.kernels.hadamard({.x = vectors.data(),
                            .tokens = static_cast<int64_t>(vectors.size()) / width,
                            .heads = width / block,
                            .head_size = block},
                           compute.threads);
}

NibbleQuery::NibbleQuery(std::span<const float> turned) {
  const auto width = static_cast<int64_t>(turned.size());
  values.resize(static_cast<size_t>(NibbleRuns(width) * kNibbleRun));
  QuantizeVectors(turned, width, std::span(values).first(turned.size()), {&scale, 1});
}

NibbleLists::NibbleLists(int64_t width, int64_t lists)
    : width_(width),
      code_bytes_(NibbleBytes(width)),
      block_bytes_(kBlockRows * (code_bytes_ + 8)),
      lists_(static_cast<size_t>(lists)) {}

int64_t NibbleLists::bytes() const {
  int64_t bytes = 0;
  for (const Tensor& slab : slabs_) bytes += slab.shape().elements();
  return bytes;
}

float* NibbleLists::Scales(std::byte* block) const {
  return reinterpret_cast<float*>(block + kBlockRows * code_bytes_);
}

uint32_t* NibbleLists::Rows(std::byte* block) const {
  return reinterpret_cast<uint32_t*>(block + kBlockRows * (code_bytes_ + 4));
}

std::byte* NibbleLists::NewBlock() {
  const int64_t blocks = std::max<int64_t>(1, kSlabBytes / block_bytes_);
  if (left_ == 0) {
    slabs_.emplace_back(DType::kU8, Shape{blocks * block_bytes_}, Fill::kNone);
    left_ = blocks;
  }
  return slabs_.back().data() + (blocks - left_--) * block_bytes_;
}

void NibbleLists::Append(int64_t list, uint32_t row, std::span<const uint8_t> code, float scale) {
  List& to = lists_[static_cast<size_t>(list)];
  const int64_t slot = to.rows % kBlockRows;
  if (slot == 0) to.blocks.push_back(NewBlock());
  std::byte* const block = to.blocks.back();
  std::memcpy(block + slot * code_bytes_, code.data(), code.size());
  Scales(block)[slot] = scale;
  Rows(block)[slot] = row;
  ++to.rows;
}

void NibbleLists::Scan(
    int64_t list, const NibbleQuery& query, const KernelSet& kernels,
    FunctionRef<void(std::span<const uint32_t> rows, std::span<const float> scores)> body) const {
  const List& from = lists_[static_cast<size_t>(list)];
  std::array<float, kBlockRows> scores;
  for (size_t i = 0; i < from.blocks.size(); ++i) {
    std::byte* const block = from.blocks[i];
    const int64_t rows = std::min(kBlockRows, from.rows - static_cast<int64_t>(i) * kBlockRows);
    kernels.scan_nibbles({.nibbles = reinterpret_cast<const uint8_t*>(block),
                          .scales = Scales(block),
                          .query = query.values.data(),
                          .query_scale = query.scale,
                          .scores = scores.data(),
                          .rows = rows,
                          .width = width_});
    const auto count = static_cast<size_t>(rows);
    body({Rows(block), count}, {scores.data(), count});
  }
}

}  // namespace tome
