// The SIMD layer on AVX-512 (F, BW, DQ, VL), with VNNI and BF16 where the compiler's flags include
// them. simd/simd.h explains the names.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace tome::TOME_KERNEL_SET {

inline constexpr int kLanes = 16;
using F32 = __m512;
using I32 = __m512i;
using Bytes = __m512i;
using Mask = __mmask16;

inline F32 Zero() { return _mm512_setzero_ps(); }
inline F32 Set(float x) { return _mm512_set1_ps(x); }
inline F32 Load(const float* p) { return _mm512_loadu_ps(p); }
inline void Store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
inline Mask FirstLanes(int64_t count) {
  // A negative count selects no lane. It occurs where blocks are padded after the end of a row.
  return static_cast<Mask>(count >= 16 ? 0xFFFFU : count > 0 ? (1U << count) - 1U : 0U);
}
inline F32 LoadFirst(const float* p, int64_t count) {
  return _mm512_maskz_loadu_ps(FirstLanes(count), p);
}
inline void StoreFirst(float* p, F32 x, int64_t count) {
  _mm512_mask_storeu_ps(p, FirstLanes(count), x);
}
inline F32 Add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
inline F32 Sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
inline F32 Mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
inline F32 Div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
inline F32 Fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
inline F32 Fnma(F32 a, F32 b, F32 c) { return _mm512_fnmadd_ps(a, b, c); }
inline F32 Max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
inline F32 Min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
inline F32 Abs(F32 a) { return _mm512_abs_ps(a); }
inline F32 Round(F32 a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline F32 TimesPowerOfTwo(F32 a, F32 n) { return _mm512_scalef_ps(a, n); }
inline F32 Fraction(F32 a) {
  return _mm512_reduce_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
inline F32 TimesPowerOfFloor(F32 a, F32 n) { return _mm512_scalef_ps(a, n); }
inline float Sum(F32 a) { return _mm512_reduce_add_ps(a); }
inline float Largest(F32 a) { return _mm512_reduce_max_ps(a); }
inline int64_t RowsSummed(int64_t count) { return count <= 4 ? 4 : kLanes; }
// Reduces each of four rows to four lanes. Quarter r of the result belongs to row r.
inline F32 SumToQuarters(F32 a, F32 b, F32 c, F32 d) {
  const F32 ab = Add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  const F32 cd = Add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));
  return Add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}
inline F32 SumOfRows(const F32* rows, int64_t count) {
  if (count <= 4) {
    F32 x = SumToQuarters(rows[0], rows[1], rows[2], rows[3]);
    x = Add(x, _mm512_permute_ps(x, 0x4E));
    x = Add(x, _mm512_permute_ps(x, 0xB1));
    const __m512i first = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return _mm512_permutexvar_ps(first, x);
  }
  F32 x[4];
  for (int j = 0; j < 4; ++j) {
    x[j] = SumToQuarters(rows[j], rows[4 + j], rows[8 + j], rows[12 + j]);
  }
  const F32 low = Add(_mm512_shuffle_ps(x[0], x[1], 0x44), _mm512_shuffle_ps(x[0], x[1], 0xEE));
  const F32 high = Add(_mm512_shuffle_ps(x[2], x[3], 0x44), _mm512_shuffle_ps(x[2], x[3], 0xEE));
  return Add(_mm512_shuffle_ps(low, high, 0x88), _mm512_shuffle_ps(low, high, 0xDD));
}
inline uint32_t LanesAbove(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
inline F32 Select(int64_t begin, int64_t end, F32 x, F32 y) {
  return _mm512_mask_mov_ps(y, static_cast<Mask>(FirstLanes(end) & ~FirstLanes(begin)), x);
}

inline F32 SelectBelow(F32 a, F32 b, F32 x, F32 y) {
  return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), x);
}
inline F32 CopySign(F32 size, F32 sign) {
  const __m512i bit = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(bit, _mm512_castps_si512(sign), _mm512_castps_si512(size), 0xCA));
}

inline I32 LoadI32(const void* p) { return _mm512_loadu_si512(p); }
inline void StoreI32(void* p, I32 x) { _mm512_storeu_si512(p, x); }
inline I32 SetI32(int32_t x) { return _mm512_set1_epi32(x); }
inline I32 ZeroI32() { return _mm512_setzero_si512(); }
inline I32 AddI32(I32 a, I32 b) { return _mm512_add_epi32(a, b); }
inline I32 MaxI32(I32 a, I32 b) { return _mm512_max_epi32(a, b); }
inline int32_t SumI32(I32 a) { return _mm512_reduce_add_epi32(a); }
inline int32_t LargestI32(I32 a) { return _mm512_reduce_max_epi32(a); }
inline I32 AndI32(I32 a, I32 b) { return _mm512_and_si512(a, b); }
inline I32 OrI32(I32 a, I32 b) { return _mm512_or_si512(a, b); }
inline I32 XorI32(I32 a, I32 b) { return _mm512_xor_si512(a, b); }
template <int kBits>
inline I32 ShiftRight(I32 a) {
  return _mm512_srli_epi32(a, kBits);
}
template <int kBits>
inline I32 ShiftLeft(I32 a) {
  return _mm512_slli_epi32(a, kBits);
}
template <int kBits>
inline I32 ShiftRightSigned(I32 a) {
  return _mm512_srai_epi32(a, kBits);
}
inline I32 ShiftRightBy(I32 a, int bits) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(bits)); }
inline I32 AddBytes(I32 a, I32 b) { return _mm512_add_epi8(a, b); }
inline I32 BitsOf(F32 a) { return _mm512_castps_si512(a); }
inline F32 FromBits(I32 a) { return _mm512_castsi512_ps(a); }
inline F32 ToF32(I32 a) { return _mm512_cvtepi32_ps(a); }
inline I32 ToI32(F32 a) { return _mm512_cvtps_epi32(a); }
inline I32 LoadI8(const void* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline I32 LoadU8(const void* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
inline void StoreI8(void* p, I32 a) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a));
}
inline F32 LoadF16(const void* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
inline void StoreF16(void* p, F32 a) {
  _mm256_storeu_si256(static_cast<__m256i*>(p),
                      _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline F32 EvenF16(I32 pairs) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(pairs)); }
inline F32 OddF16(I32 pairs) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(pairs, 16)));
}
inline F32 LoadBF16(const void* p) {
  return FromBits(_mm512_slli_epi32(
      _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16));
}
inline __m256i ToBF16(F32 a) {
#if defined(__AVX512BF16__)
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a));
#else
  const I32 bits = BitsOf(a);
  const I32 odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), SetI32(1));
  const I32 rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, SetI32(0x7FFF)));
  const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
  const I32 quiet = _mm512_or_si512(bits, SetI32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, nan, quiet), 16));
#endif
}
inline void StoreBF16(void* p, F32 a) { _mm256_storeu_si256(static_cast<__m256i*>(p), ToBF16(a)); }

inline F32 BroadcastF32(const float* p) { return _mm512_set1_ps(*p); }
inline I32 BroadcastI32(const int32_t* p) { return _mm512_set1_epi32(*p); }
inline I32 Broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}

inline I32 DotSmall(I32 acc, Bytes u8, Bytes s8) {
#if defined(__AVX512VNNI__)
  return _mm512_dpbusd_epi32(acc, u8, s8);
#else
  return _mm512_add_epi32(acc,
                          _mm512_madd_epi16(_mm512_maddubs_epi16(u8, s8), _mm512_set1_epi16(1)));
#endif
}
inline I32 LoadI8Words(const void* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
inline I32 DotWords(I32 acc, I32 a, I32 b) {
#if defined(__AVX512VNNI__)
  return _mm512_dpwssd_epi32(acc, a, b);
#else
  return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b));
#endif
}
#if defined(__AVX512VNNI__)
inline constexpr bool kHasWideDot = true;
inline I32 DotWide(I32 acc, Bytes u8, Bytes s8) { return _mm512_dpbusd_epi32(acc, u8, s8); }
inline I32 DotSigned(I32 acc, Bytes, Bytes) { return acc; }
#else
inline constexpr bool kHasWideDot = false;
inline I32 DotWide(I32 acc, Bytes, Bytes) { return acc; }
inline I32 DotSigned(I32 acc, Bytes a, Bytes b) {
  const I32 turned = _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(a), ZeroI32(), b);
  return DotSmall(acc, _mm512_abs_epi8(a), turned);
}
#endif

inline void Deinterleave(F32 a, F32 b, F32& even, F32& odd) {
  const I32 evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const I32 odds = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  even = _mm512_permutex2var_ps(a, evens, b);
  odd = _mm512_permutex2var_ps(a, odds, b);
}
inline void Interleave(F32 even, F32 odd, F32& a, F32& b) {
  const I32 low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const I32 high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  a = _mm512_permutex2var_ps(even, low, odd);
  b = _mm512_permutex2var_ps(even, high, odd);
}
inline F32 BroadcastPair(const float* p) {
  double pair = 0;
  __builtin_memcpy(&pair, p, sizeof pair);
  return _mm512_castpd_ps(_mm512_set1_pd(pair));
}

#if defined(__AVX512BF16__)
inline constexpr bool kHasBF16Dot = true;
inline F32 DotBF16(F32 acc, I32 a, I32 b) {
  return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}
inline I32 PackBF16(F32 low, F32 high) {
  return reinterpret_cast<I32>(_mm512_cvtne2ps_pbh(high, low));
}
#else
inline constexpr bool kHasBF16Dot = false;
inline F32 DotBF16(F32 acc, I32, I32) { return acc; }
inline I32 PackBF16(F32, F32) { return ZeroI32(); }
#endif

struct F64Sum {
  __m512d low = _mm512_setzero_pd();
  __m512d high = _mm512_setzero_pd();
  void AddSquares(F32 x) {
    const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
    const __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    low = _mm512_fmadd_pd(a, a, low);
    high = _mm512_fmadd_pd(b, b, high);
  }
  void AddValues(F32 x) {
    low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
    high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
  }
  double Total() const { return _mm512_reduce_add_pd(_mm512_add_pd(low, high)); }
};

inline void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

}  // namespace tome::TOME_KERNEL_SET
