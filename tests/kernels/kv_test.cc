// Tests writing keys and values into pages.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "tests/kernels/attention_inputs.h"

namespace tome {
namespace {

class KvWriteTest : public KernelTest {};

std::vector<std::vector<std::byte>> BytesOf(const Cache& cache) {
  std::vector<std::vector<std::byte>> bytes;
  for (const auto& page : cache.pages()) {
    bytes.push_back(page->keys);
    bytes.push_back(page->values);
  }
  return bytes;
}

// Returns values for a type to keep, some awkward.
std::vector<float> AwkwardFloats(std::mt19937& random, KvType type, int64_t size) {
  std::vector<float> x = RandomFloats(random, size);
  const std::array<float, 8> awkward{0,      -0.0F,    1e-40F,    6e-8F,
                                     -1e-9F, 65519.0F, -65504.0F, 0x1.01p0F};
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % 7 == 3) x[i] = awkward[i / 7 % awkward.size()];
    if (i % 1000 < 40) x[i] *= 1e-6F;  // whole blocks near the smallest scale
    if (i % 1000 >= 40 && i % 1000 < 80) x[i] = 0;
  }
  if (type != KvType::kQ8 && type != KvType::kQ4) {
    x[0] = kNaN;
    x[1] = 1e6F;
    x[2] = -kInf;
  }
  return x;
}

// Checks that the stored element is x within the rounding of the type.
void ExpectStored(const Cache& cache, bool key, int64_t position, int64_t head, const float* x) {
  const Heads& heads = cache.heads();
  for (int64_t c = 0; c < heads.size; ++c) {
    const double got = cache.Read(key, position, head, c);
    const auto where = [&] {
      return testing::Message() << NameOf(heads.type) << (key ? " key " : " value ") << position
                                << " head " << head << " channel " << c << " of " << heads.size;
    };
    const double value = x[c];
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(got)) << where();
      continue;
    }
    switch (heads.type) {
      case KvType::kF32:
        ASSERT_EQ(got, value) << where();
        continue;
      case KvType::kF16:
        ASSERT_EQ(got, FloatFromF16(F16FromFloat(std::clamp(x[c], -65504.0F, 65504.0F))))
            << where();
        continue;
      case KvType::kBF16:
        ASSERT_EQ(got, FloatFromBF16(BF16FromFloat(x[c]))) << where();
        continue;
      case KvType::kQ8:
      case KvType::kQ4:
        break;
    }
    // Values may be off by half a step, and at the ends by as much as rounding the scale to F16
    // makes the largest integer fall short. Eight levels of Q4 lie below zero and seven above. The
    // sign of the scale gives the value of largest magnitude the eighth, so one of the other sign
    // may be off by a whole step.
    const int64_t begin = c / kKvScaleDims * kKvScaleDims;
    double largest = 0;
    for (int64_t i = begin; i < std::min(heads.size, begin + kKvScaleDims); ++i) {
      largest = std::max(largest, std::abs(double{x[i]}));
    }
    const bool eight = heads.type == KvType::kQ8;
    const double levels = eight ? 127 : 8;
    const double scale = largest / levels;
    const double rounding = std::max(scale * 0x1p-11, 0x1p-25) + kRoundoff * scale;
    double bound = 0.5 * (scale + rounding) * (1 + 1e-4) + levels * rounding;
    if (!eight && std::abs(value) > 7.5 * scale) {
      bound = std::max(bound, std::abs(value) - 7 * scale + levels * rounding);
    }
    ASSERT_NEAR(got, value, bound) << where();
  }
}

TEST_P(KvWriteTest, WritesWhereTheLayoutSaysWhateverThePiecesAndThreads) {
  std::mt19937 random(1);
  for (const KvType type : kKvTypes) {
    for (const int64_t size : {1, 7, 16, 33, 64, 80, 100, 257}) {
      const Heads heads{.kv_heads = 3, .size = size, .type = type};
      constexpr int64_t kLength = 150;
      const int64_t width = 3 * size;
      const std::vector<float> k = AwkwardFloats(random, type, kLength * width);
      const std::vector<float> v = AwkwardFloats(random, type, kLength * width);
      Cache whole(heads, kLength);
      whole.Write(kernels(), 0, k, v);
      for (int64_t p = 0; p < kLength; ++p) {
        for (int64_t head = 0; head < 3; ++head) {
          const int64_t at = (p * 3 + head) * size;
          ASSERT_NO_FATAL_FAILURE(ExpectStored(whole, true, p, head, k.data() + at));
          ASSERT_NO_FATAL_FAILURE(ExpectStored(whole, false, p, head, v.data() + at));
        }
      }
      for (const auto& [piece, threads] : {std::pair<int64_t, int>{1, 1}, {33, 2}, {kLength, 4}}) {
        Cache pieces(heads, kLength);
        for (int64_t begin = 0; begin < kLength; begin += piece) {
          const int64_t end = std::min(kLength, begin + piece);
          pieces.Write(kernels(), begin, {k.begin() + begin * width, k.begin() + end * width},
                       {v.begin() + begin * width, v.begin() + end * width}, threads);
        }
        ASSERT_TRUE(BytesOf(pieces) == BytesOf(whole))
            << NameOf(type) << " of " << size << " in pieces of " << piece;
      }
    }
  }
}

// Unwritten tokens keep their values, although they share bytes and padding with written ones.
TEST_P(KvWriteTest, LeavesOtherTokensAndPagesAlone) {
  std::mt19937 random(2);
  for (const KvType type : kKvTypes) {
    const Heads heads{.kv_heads = 2, .size = 33, .type = type};
    Cache cache(heads, 192);
    const std::vector<float> first = RandomFloats(random, int64_t{192} * 66);
    cache.Write(kernels(), 0, first, first);
    const auto before = BytesOf(cache);
    const std::vector<float> second = RandomFloats(random, int64_t{3} * 66);
    cache.Write(kernels(), 70, second, second);
    const auto after = BytesOf(cache);
    for (const size_t page : {0, 1, 4, 5}) EXPECT_TRUE(after[page] == before[page]) << page;
    for (int64_t p = 64; p < 128; ++p) {
      for (int64_t head = 0; head < 2; ++head) {
        const bool written = p >= 70 && p < 73;
        const float* const x = written ? second.data() + ((p - 70) * 2 + head) * 33
                                       : first.data() + (p * 2 + head) * 33;
        ASSERT_NO_FATAL_FAILURE(ExpectStored(cache, true, p, head, x));
        ASSERT_NO_FATAL_FAILURE(ExpectStored(cache, false, p, head, x));
      }
    }
  }
}

// A stored page may be read on a machine with another set.
TEST_P(KvWriteTest, WritesTheBytesOfTheGenericSet) {
  const KernelSet& generic = *AvailableKernelSets().back();
  std::mt19937 random(3);
  for (const KvType type : kKvTypes) {
    for (const int64_t size : {1, 7, 31, 32, 33, 64, 80, 100, 128, 257, 512}) {
      const Heads heads{.kv_heads = 2, .size = size, .type = type};
      const std::vector<float> k = AwkwardFloats(random, type, int64_t{100} * 2 * size);
      const std::vector<float> v = AwkwardFloats(random, type, int64_t{100} * 2 * size);
      Cache mine(heads, 100);
      mine.Write(kernels(), 0, k, v);
      Cache theirs(heads, 100);
      theirs.Write(generic, 0, k, v);
      const auto a = BytesOf(mine);
      const auto b = BytesOf(theirs);
      for (size_t page = 0; page < a.size(); ++page) {
        const auto at = std::mismatch(a[page].begin(), a[page].end(), b[page].begin()).first;
        EXPECT_TRUE(at == a[page].end()) << NameOf(type) << " of " << size << ": page " << page
                                         << " differs at byte " << at - a[page].begin();
      }
    }
  }
}

// Beyond the range of their F16 scales, values saturate as those in F16 pages do.
TEST_P(KvWriteTest, QuantizedTypesStayFinite) {
  for (const auto& [type, most] :
       {std::pair<KvType, double>{KvType::kQ8, 127 * 65504.0}, {KvType::kQ4, 8 * 65504.0}}) {
    for (const float large : {1e5F, 5e5F, 1e7F, 1e30F, std::numeric_limits<float>::max()}) {
      for (const float sign : {1.0F, -1.0F}) {
        std::vector<float> x(40, 1);
        x[3] = sign * large;
        Cache cache({.size = 40, .type = type}, 1);
        cache.Write(kernels(), 0, x, x);
        for (const bool key : {true, false}) {
          const double expected = std::min(double{large}, most);
          // The scale is rounded to eleven bits, which changes the value by at most 2^-11 of
          // itself.
          EXPECT_NEAR(cache.Read(key, 0, 0, 3) * double{sign}, expected, expected * 0x1p-11)
              << NameOf(type);
          for (const int64_t c : {0, 2, 4, 31}) {
            EXPECT_TRUE(std::isfinite(cache.Read(key, 0, 0, c))) << NameOf(type);
          }
          EXPECT_NEAR(cache.Read(key, 0, 0, 32), 1, 0x1p-10);
        }
      }
    }
  }
}

TEST_P(KvWriteTest, SixteenBitTypesRoundToNearestEven) {
  // These are values halfway between two numbers of either type, and their neighbours.
  std::vector<float> x;
  for (const float base : {1.0F, 1.5F, -3.0F, 1000.0F, 0x1p-15F, 0x1p-24F}) {
    for (int i = -4; i <= 4; ++i) {
      x.push_back(base * (1 + static_cast<float>(i) * 0x1p-9F));
      x.push_back(base * (1 + static_cast<float>(i) * 0x1p-12F));
      x.push_back(base * (1 + static_cast<float>(i) * 0x1p-20F));
    }
  }
  for (const KvType type : {KvType::kF16, KvType::kBF16}) {
    Cache cache({.size = static_cast<int64_t>(x.size()), .type = type}, 1);
    cache.Write(kernels(), 0, x, x);
    ASSERT_NO_FATAL_FAILURE(ExpectStored(cache, true, 0, 0, x.data()));
    ASSERT_NO_FATAL_FAILURE(ExpectStored(cache, false, 0, 0, x.data()));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, KvWriteTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
