// Lists of vectors in 4 bits a value, which a search scans to find candidates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/base/function_ref.h"
#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Turns vectors [rows, width] into the basis in which they are encoded, in place: a Walsh-Hadamard
// transform of the largest blocks that divide the width (kernels/hadamard.h), which spreads a value
// that is far larger than the others. Products of two vectors stay the same.
void TurnForNibbles(std::span<float> vectors, int64_t width, const Compute& compute);

// A query that was turned, for scans of nibbles.
struct NibbleQuery {
  NibbleQuery(std::span<const float> turned);
  std::vector<int8_t> values;  // as NibbleScanArgs::query
  float scale = 0;
};

// Codes come in blocks, each of one list, that are cut from slabs of memory in large pages. So
// lists grow without being moved, and a scan of a list reads few pages.
class NibbleLists {
 public:
  static constexpr int64_t kBlockRows = 128;

  NibbleLists(int64_t width, int64_t lists);

  int64_t lists() const { return static_cast<int64_t>(lists_.size()); }
  int64_t size(int64_t list) const { return lists_[static_cast<size_t>(list)].rows; }
  int64_t code_bytes() const { return code_bytes_; }
  int64_t bytes() const;

  // Appends a code of EncodeNibbles for the vector with this number.
  void Append(int64_t list, uint32_t row, std::span<const uint8_t> code, float scale);

  // Calls body(rows, scores) for each block of a list.
  void Scan(
      int64_t list, const NibbleQuery& query, const KernelSet& kernels,
      FunctionRef<void(std::span<const uint32_t> rows, std::span<const float> scores)> body) const;

 private:
  // A block has codes [kBlockRows, code_bytes_], scales [kBlockRows] and rows [kBlockRows].
  struct List {
    std::vector<std::byte*> blocks;  // all full but the last
    int64_t rows = 0;
  };
  std::byte* NewBlock();
  float* Scales(std::byte* block) const;
  uint32_t* Rows(std::byte* block) const;

  int64_t width_;
  int64_t code_bytes_;
  int64_t block_bytes_;
  std::vector<List> lists_;
  std::vector<Tensor> slabs_;
  int64_t left_ = 0;  // blocks that the last slab has room for
};

}  // namespace tome
