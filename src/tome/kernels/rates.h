// What this processor can do at most with a kernel set's instructions: the ceilings against which
// `tome bench` and the micro benchmarks hold the kernels.
#pragma once

#include <cstdint>

namespace tome {

// Runs independent multiply-adds in registers. `rounds` scales the time; the result is the number
// of operations done (a multiply-add counts two). 0: the set has no such instruction.
using RateProbe = int64_t (*)(int64_t rounds) noexcept;

struct RateProbes {
  RateProbe f32 = nullptr;
  RateProbe bf16 = nullptr;  // BF16 dot products into float
  RateProbe int8 = nullptr;  // 8-bit dot products into 32 bits
};

}  // namespace tome
