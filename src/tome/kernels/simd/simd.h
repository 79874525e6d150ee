// The thin layer over which the vectorized kernels are written. Each instruction set implements it
// in its own folder. The algorithms of simd/ are compiled once for each set, into the namespace
// TOME_KERNEL_SET, with the compiler flags of that set (CMakeLists.txt). A new set takes a folder
// with its simd.h, a line in CMakeLists.txt and a line in kernel_set.cc.
//
//   kLanes                    number of floats in a vector
//   F32, I32, Bytes           vectors of kLanes floats, kLanes 32-bit integers, 4 · kLanes bytes
//   LoadFirst, StoreFirst     touch only the first `count` lanes; the other lanes load as zero
//   Max(a, b), Min(a, b)      b where either is NaN
//   Fma(a, b, c)              a · b + c, rounded once
//   Fnma(a, b, c)             c − a · b, rounded once
//   Fraction(a)               a − floor(a), or 0 where a is infinite
//   TimesPowerOfFloor(a, n)   a · 2^floor(n) for 1 <= a < 2; 0 or ∞ outside the range of a float
//   SumOfRows(rows, count)    lane r is the sum of rows[r], in the order of Sum whatever `count`;
//                             RowsSummed(count) rows are read
//   LanesAbove(a, b)          a bit for each lane with a > b
//   Select(begin, end, x, y)  x in lanes [begin, end), y elsewhere
//   SelectBelow(a, b, x, y)   x where a < b, y elsewhere and where either is NaN
//   LoadI8, LoadU8, StoreI8   kLanes bytes from or to memory, 32-bit integers in registers
//   LoadI8Words(p)            2 · kLanes signed bytes as pairs of signed 16-bit words
//   EvenF16, OddF16           halves 0, 2, … and 1, 3, … of kLanes pairs, as floats
//   Deinterleave, Interleave  take the pairs (even, odd) in a and then b apart, and join them
//   BroadcastPair(p)          p[0], p[1], p[0], p[1], …
//   DotSmall, DotWide         add to each lane four products of unsigned and signed bytes, exactly;
//                             unsigned bytes are at most 127 (DotSmall) or 255 (DotWide), and
//                             signed bytes are not −128
//   DotSigned                 as DotWide with signed bytes, for sets without DotWide (kHasWideDot)
//   DotWords(acc, a, b)       adds to each lane the products of a pair of signed 16-bit words; exact
//                             while sums stay below 2^31
//   kHasBF16Dot               whether the set has DotBF16 and PackBF16
//   DotBF16                   adds to each lane the two products of a pair of BF16
//   PackBF16(low, high)       2 · kLanes values as BF16, first those of `low`
//   F64Sum                    a sum of values or of squares in double precision
#pragma once

#if defined(__AVX512F__)
#include "tome/kernels/avx512/simd.h"
#elif defined(__AVX2__)
#include "tome/kernels/avx2/simd.h"
#else
#error "simd/ is compiled with the flags of an instruction set"
#endif

// Goes before a loop over an array of vectors. The array stays in registers only if the loop is
// unrolled.
#define TOME_UNROLL _Pragma("GCC unroll 32")

// Bytes of a vector.
namespace tome::TOME_KERNEL_SET {
inline constexpr int kVectorBytes = 4 * kLanes;
}  // namespace tome::TOME_KERNEL_SET
