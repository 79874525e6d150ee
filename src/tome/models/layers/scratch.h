// Scratch is the memory that kernels work in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tome/tensor/tensor.h"

namespace tome {

// A Scratch belongs to one forward pass and grows to the largest need.
class Scratch {
 public:
  // Returns at least `bytes` bytes, aligned to kTensorAlignment, of no particular content. The
  // memory that earlier calls returned must not be used any more.
  std::byte* Get(int64_t bytes) {
    if (bytes > size_) {
      memory_ = Tensor(DType::kU8, {bytes}, Fill::kNone);
      size_ = bytes;
    }
    return memory_.data();
  }

 private:
  Tensor memory_;
  int64_t size_ = 0;
};

}  // namespace tome
