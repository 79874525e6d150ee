// The thin layer that the vectorized kernels are written over. One folder an instruction set gives
// it; an algorithm in this folder (simd/) is compiled once for each, into the namespace
// TOME_KERNEL_SET, with the compiler flags of that set (CMakeLists.txt). To add a set: a folder
// with its simd.h, a line in CMakeLists.txt, a line in kernel_set.cc.
//
//   kLanes                   floats of a vector
//   F32, I32, Bytes          vectors of kLanes floats, 32-bit integers, 4 · kLanes bytes
//   LoadFirst, StoreFirst    only the first `count` lanes are touched; others load as zero
//   Max(a, b), Min(a, b)     b where either is NaN
//   Fma(a, b, c)             a · b + c, rounded once; Fnma: c − a · b
//   Fraction(a)              a − floor(a), 0 where a is infinite
//   TimesPowerOfFloor(a, n)  a · 2^floor(n) for 1 <= a < 2: 0, or ∞, beyond what a float holds
//   SumOfRows                lane r: of the lanes of rows[r], in the order of Sum, whatever `count`
//                            of rows there is; RowsSummed(count) of them are read
//   LanesAbove(a, b)         a bit for each lane with a > b
//   Select(begin, end, x, y) x in lanes [begin, end), y elsewhere
//   EvenF16, OddF16          halves 0, 2, … and 1, 3, … of kLanes pairs
//   DotSmall, DotWide        sums of four products of unsigned bytes, up to 127 or to 255, with
//                            signed ones (not −128), added to each lane: exact
//   DotSigned                the same of signed bytes, for sets without DotWide (kHasWideDot)
//   kHasBF16Dot              whether DotBF16 and PackBF16 are there
#pragma once

#if defined(__AVX512F__)
#include "tome/kernels/avx512/simd.h"
#elif defined(__AVX2__)
#include "tome/kernels/avx2/simd.h"
#else
#error "simd/ is compiled with the flags of an instruction set"
#endif

// Before a loop over an array of vectors: unrolled, the array stays in registers.
#define TOME_UNROLL _Pragma("GCC unroll 32")

// A vector holds this many bytes.
namespace tome::TOME_KERNEL_SET {
inline constexpr int kVectorBytes = 4 * kLanes;
}  // namespace tome::TOME_KERNEL_SET
