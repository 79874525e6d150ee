// Memory that kernels work in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tome/tensor/tensor.h"

namespace tome {

// One forward pass's; grows to the largest need.
class Scratch {
 public:
  // At least `bytes`, aligned to kTensorAlignment, of no particular content; what was handed out
  // before is gone.
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
