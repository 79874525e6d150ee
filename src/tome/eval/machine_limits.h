// The measured limits of this machine, which speeds are compared with.
#pragma once

#include "tome/kernels/kernel_set.h"

namespace tome {

// Rates of all threads of a Compute together. A rate is 0 where the kernel set has no such
// instruction.
struct MachineLimits {
  double f32_per_second = 0;    // operations; a multiply-add counts as two
  double bf16_per_second = 0;   // BF16 dot products
  double int8_per_second = 0;   // 8-bit dot products
  double bytes_per_second = 0;  // read from memory, in order
};

// Measures the limits. It takes about two seconds and up to a gigabyte of memory, less where the
// machine has little.
MachineLimits MeasureLimits(const Compute& compute);

}  // namespace tome
