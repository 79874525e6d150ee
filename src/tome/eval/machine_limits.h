// What this machine can do at most, measured: the ceilings that speeds are held against.
#pragma once

#include "tome/kernels/kernel_set.h"

namespace tome {

// Of all threads of a Compute together; 0 where the kernel set has no such instruction.
struct MachineLimits {
  double f32_per_second = 0;    // operations: a multiply-add counts two
  double bf16_per_second = 0;   // BF16 dot products
  double int8_per_second = 0;   // 8-bit dot products
  double bytes_per_second = 0;  // read from memory, in order
};

// Takes about two seconds and up to a gigabyte of memory, less where the machine has little.
MachineLimits MeasureLimits(const Compute& compute);

}  // namespace tome
