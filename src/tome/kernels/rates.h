// Probes measure the highest rate that this processor reaches with a kernel set's instructions.
// `tome bench` and the micro benchmarks compare the kernels with these rates.
#pragma once

#include <cstdint>

namespace tome {

// Runs independent multiply-adds in registers for a time that grows with `rounds`. Returns the
// number of operations done; a multiply-add counts as two.
using RateProbe = int64_t (*)(int64_t rounds) noexcept;

// A probe is null where the set has no such instruction.
struct RateProbes {
  RateProbe f32 = nullptr;
  RateProbe bf16 = nullptr;  // BF16 dot products into float
  RateProbe int8 = nullptr;  // 8-bit dot products into 32 bits
};

}  // namespace tome
