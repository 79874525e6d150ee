// The SIMD layer on AVX2 with FMA and F16C. simd/simd.h explains the names.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace tome::TOME_KERNEL_SET {

inline constexpr int kLanes = 8;
using F32 = __m256;
using I32 = __m256i;
using Bytes = __m256i;

inline F32 Zero() { return _mm256_setzero_ps(); }
inline F32 Set(float x) { return _mm256_set1_ps(x); }
inline F32 Load(const float* p) { return _mm256_loadu_ps(p); }
inline void Store(float* p, F32 x) { _mm256_storeu_ps(p, x); }
// Sets all bits of the lanes below `count`.
inline I32 FirstLanes(int64_t count) {
  const I32 lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int64_t some = count < 0 ? 0 : count > 8 ? 8 : count;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(some)), lanes);
}
inline F32 LoadFirst(const float* p, int64_t count) {
  return _mm256_maskload_ps(p, FirstLanes(count));
}
inline void StoreFirst(float* p, F32 x, int64_t count) {
  _mm256_maskstore_ps(p, FirstLanes(count), x);
}
inline F32 Add(F32 a, F32 b) { return _mm256_add_ps(a, b); }
inline F32 Sub(F32 a, F32 b) { return _mm256_sub_ps(a, b); }
inline F32 Mul(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
inline F32 Div(F32 a, F32 b) { return _mm256_div_ps(a, b); }
inline F32 Fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
inline F32 Fnma(F32 a, F32 b, F32 c) { return _mm256_fnmadd_ps(a, b, c); }
inline F32 Max(F32 a, F32 b) { return _mm256_max_ps(a, b); }
inline F32 Min(F32 a, F32 b) { return _mm256_min_ps(a, b); }
inline F32 Abs(F32 a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
inline F32 Round(F32 a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline I32 BitsOf(F32 a) { return _mm256_castps_si256(a); }
inline F32 FromBits(I32 a) { return _mm256_castsi256_ps(a); }
inline F32 ToF32(I32 a) { return _mm256_cvtepi32_ps(a); }
inline I32 ToI32(F32 a) { return _mm256_cvtps_epi32(a); }
// Multiplies in two steps, so that neither factor leaves the range of a float, for |n| < 252.
inline F32 TimesPowerOfTwo(F32 a, F32 n) {
  const I32 whole = ToI32(n);
  const I32 half = _mm256_srai_epi32(whole, 1);
  const I32 rest = _mm256_sub_epi32(whole, half);
  const I32 bias = _mm256_set1_epi32(127);
  const F32 first = FromBits(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const F32 second = FromBits(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return Mul(Mul(a, first), second);
}
inline F32 Fraction(F32 a) {
  const F32 infinite = _mm256_cmp_ps(Abs(a), Set(__builtin_inff()), _CMP_EQ_OQ);
  return _mm256_andnot_ps(infinite, Sub(a, _mm256_floor_ps(a)));
}
inline F32 TimesPowerOfFloor(F32 a, F32 n) {
  // For any 1 <= a < 2 the result is 0 from n = −152 down, and infinite from n = 130 up.
  return TimesPowerOfTwo(a, _mm256_floor_ps(Min(Set(130), Max(Set(-152), n))));
}
inline float Sum(F32 a) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
inline float Largest(F32 a) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}
inline int64_t RowsSummed(int64_t /*count*/) { return kLanes; }
inline F32 SumOfRows(const F32* rows, int64_t /*count*/) {
  F32 x[4];
  for (int j = 0; j < 4; ++j) {
    x[j] = Add(_mm256_permute2f128_ps(rows[j], rows[4 + j], 0x20),
               _mm256_permute2f128_ps(rows[j], rows[4 + j], 0x31));
  }
  const F32 low = Add(_mm256_shuffle_ps(x[0], x[1], 0x44), _mm256_shuffle_ps(x[0], x[1], 0xEE));
  const F32 high = Add(_mm256_shuffle_ps(x[2], x[3], 0x44), _mm256_shuffle_ps(x[2], x[3], 0xEE));
  return Add(_mm256_shuffle_ps(low, high, 0x88), _mm256_shuffle_ps(low, high, 0xDD));
}
inline uint32_t LanesAbove(F32 a, F32 b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
}
inline F32 Select(int64_t begin, int64_t end, F32 x, F32 y) {
  const I32 lanes = _mm256_andnot_si256(FirstLanes(begin), FirstLanes(end));
  return _mm256_blendv_ps(y, x, FromBits(lanes));
}

inline F32 SelectBelow(F32 a, F32 b, F32 x, F32 y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
inline F32 CopySign(F32 size, F32 sign) {
  const F32 bit = _mm256_set1_ps(-0.0F);
  return _mm256_or_ps(_mm256_andnot_ps(bit, size), _mm256_and_ps(bit, sign));
}

inline I32 LoadI32(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void StoreI32(void* p, I32 x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
inline I32 SetI32(int32_t x) { return _mm256_set1_epi32(x); }
inline I32 ZeroI32() { return _mm256_setzero_si256(); }
inline I32 AddI32(I32 a, I32 b) { return _mm256_add_epi32(a, b); }
inline I32 MaxI32(I32 a, I32 b) { return _mm256_max_epi32(a, b); }
inline int32_t SumI32(I32 a) {
  __m128i x = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
inline int32_t LargestI32(I32 a) {
  __m128i x = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4E));
  return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
inline I32 AndI32(I32 a, I32 b) { return _mm256_and_si256(a, b); }
inline I32 OrI32(I32 a, I32 b) { return _mm256_or_si256(a, b); }
inline I32 XorI32(I32 a, I32 b) { return _mm256_xor_si256(a, b); }
template <int kBits>
inline I32 ShiftRight(I32 a) {
  return _mm256_srli_epi32(a, kBits);
}
template <int kBits>
inline I32 ShiftLeft(I32 a) {
  return _mm256_slli_epi32(a, kBits);
}
template <int kBits>
inline I32 ShiftRightSigned(I32 a) {
  return _mm256_srai_epi32(a, kBits);
}
inline I32 ShiftRightBy(I32 a, int bits) { return _mm256_srl_epi32(a, _mm_cvtsi32_si128(bits)); }
inline I32 AddBytes(I32 a, I32 b) { return _mm256_add_epi8(a, b); }
inline I32 LoadI8(const void* p) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
}
inline I32 LoadU8(const void* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
}
// Returns the low halves of all lanes, without saturation.
inline __m128i LowHalves(I32 a) {
  const I32 order = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1,  //
                                     0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
  const I32 packed = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(a, order), 0x08);
  return _mm256_castsi256_si128(packed);
}
inline void StoreI8(void* p, I32 a) {
  const __m128i halves = LowHalves(a);
  const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1);
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_shuffle_epi8(halves, order));
}
inline F32 LoadF16(const void* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline void StoreF16(void* p, F32 a) {
  _mm_storeu_si128(static_cast<__m128i*>(p),
                   _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline F32 EvenF16(I32 pairs) { return _mm256_cvtph_ps(LowHalves(pairs)); }
inline F32 OddF16(I32 pairs) { return _mm256_cvtph_ps(LowHalves(_mm256_srli_epi32(pairs, 16))); }
inline F32 LoadBF16(const void* p) {
  return FromBits(_mm256_slli_epi32(
      _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))), 16));
}
inline void StoreBF16(void* p, F32 a) {
  const I32 bits = BitsOf(a);
  const I32 odd = AndI32(ShiftRight<16>(bits), SetI32(1));
  const I32 rounded = AddI32(bits, AddI32(odd, SetI32(0x7FFF)));
  const I32 quiet = OrI32(bits, SetI32(0x400000));
  const F32 nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
  const I32 chosen = BitsOf(_mm256_blendv_ps(FromBits(rounded), FromBits(quiet), nan));
  _mm_storeu_si128(static_cast<__m128i*>(p), LowHalves(ShiftRight<16>(chosen)));
}

inline F32 BroadcastF32(const float* p) { return _mm256_broadcast_ss(p); }
inline I32 BroadcastI32(const int32_t* p) { return _mm256_set1_epi32(*p); }
inline I32 Broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

inline I32 DotSmall(I32 acc, Bytes u8, Bytes s8) {
  return AddI32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(u8, s8), _mm256_set1_epi16(1)));
}
inline I32 LoadI8Words(const void* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline I32 DotWords(I32 acc, I32 a, I32 b) { return AddI32(acc, _mm256_madd_epi16(a, b)); }
inline constexpr bool kHasWideDot = false;
inline I32 DotWide(I32 acc, Bytes, Bytes) { return acc; }
inline I32 DotSigned(I32 acc, Bytes a, Bytes b) {
  return DotSmall(acc, _mm256_abs_epi8(a), _mm256_sign_epi8(b, a));
}

inline void Deinterleave(F32 a, F32 b, F32& even, F32& odd) {
  const auto sorted = [](F32 x) {
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xD8));
  };
  even = sorted(_mm256_shuffle_ps(a, b, 0x88));
  odd = sorted(_mm256_shuffle_ps(a, b, 0xDD));
}
inline void Interleave(F32 even, F32 odd, F32& a, F32& b) {
  const F32 low = _mm256_unpacklo_ps(even, odd);
  const F32 high = _mm256_unpackhi_ps(even, odd);
  a = _mm256_permute2f128_ps(low, high, 0x20);
  b = _mm256_permute2f128_ps(low, high, 0x31);
}
inline F32 BroadcastPair(const float* p) {
  double pair = 0;
  __builtin_memcpy(&pair, p, sizeof pair);
  return _mm256_castpd_ps(_mm256_set1_pd(pair));
}

inline constexpr bool kHasBF16Dot = false;
inline F32 DotBF16(F32 acc, I32, I32) { return acc; }
inline I32 PackBF16(F32, F32) { return ZeroI32(); }

struct F64Sum {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  void AddSquares(F32 x) {
    const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
    const __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
    low = _mm256_fmadd_pd(a, a, low);
    high = _mm256_fmadd_pd(b, b, high);
  }
  void AddValues(F32 x) {
    low = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
    high = _mm256_add_pd(high, _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
  }
  double Total() const {
    const __m256d sum = _mm256_add_pd(low, high);
    const __m128d x = _mm_add_pd(_mm256_castpd256_pd128(sum), _mm256_extractf128_pd(sum, 1));
    return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
  }
};

inline void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

}  // namespace tome::TOME_KERNEL_SET
