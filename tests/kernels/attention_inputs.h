// Provides problems and calls for the tests of attention. Pages are filled by a set's own write_kv
// and read by the documented layout.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tests/kernels/kernel_inputs.h"
#include "tome/kernels/attention.h"
#include "tome/tensor/float16.h"

namespace tome {

// Heads describes the attention of one layer.
struct Heads {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t size = 16;
  KvType type = KvType::kF32;
  int64_t window = 0;
  float soft_cap = 0;
  float scale = 0;  // 0: 1 / sqrt(size)
};

inline float ScaleOf(const Heads& heads) {
  return heads.scale != 0 ? heads.scale
                          : static_cast<float>(1 / std::sqrt(static_cast<double>(heads.size)));
}

inline double HalfAt(const std::byte* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return FloatFromF16(half);
}

// Reads one element of a slice by the layout that attention.h documents.
inline double ReadElement(KvType type, const std::byte* slice, int64_t size, bool key, int64_t slot,
                          int64_t channel) {
  const int64_t index =
      key ? KeyElement(type, slot, channel) : ValueElement(type, size, slot, channel);
  uint16_t half = 0;
  float value = 0;
  const std::byte* const scales = slice + KvElementBytes(type, size);
  const auto scale = [&] {
    return HalfAt(scales + (channel / kKvScaleDims * kKvPageTokens + slot) * 2);
  };
  switch (type) {
    case KvType::kF32:
      std::memcpy(&value, slice + index * 4, sizeof value);
      return value;
    case KvType::kF16:
      return HalfAt(slice + index * 2);
    case KvType::kBF16:
      std::memcpy(&half, slice + index * 2, sizeof half);
      return FloatFromBF16(half);
    case KvType::kQ8:
      return scale() * static_cast<int8_t>(slice[index]);
    case KvType::kQ4:
      break;
  }
  const auto byte = static_cast<int>(slice[index / 64 * 32 + index % 32]);
  return scale() * ((index % 64 < 32 ? byte & 15 : byte >> 4) - 8);
}

// Page holds one page of keys and one of values. Unwritten bytes are NaN (all bits set), so that
// reading beyond the last position shows.
struct Page {
  explicit Page(const Heads& heads)
      : keys(Count(KvPageBytes(heads.type, heads.kv_heads, heads.size)), std::byte{0xFF}),
        values(keys) {}
  std::vector<std::byte> keys, values;
};

// Cache holds the pages of one sequence. Copies share the pages; Fork copies the page in which two
// sequences diverge.
class Cache {
 public:
  Cache(const Heads& heads, int64_t length) : heads_(heads), length_(length) {
    for (int64_t begin = 0; begin < length; begin += kKvPageTokens) {
      pages_.push_back(std::make_shared<Page>(heads));
    }
  }

  // Writes positions [begin, begin + tokens) from k and v, both [tokens, kv_heads, size].
  void Write(const KernelSet& kernels, int64_t begin, const std::vector<float>& k,
             const std::vector<float>& v, int threads = 1) {
    std::vector<std::byte*> keys, values;
    for (const auto& page : pages_) {
      keys.push_back(page->keys.data());
      values.push_back(page->values.data());
    }
    ThreadPool pool(threads);
    kernels.write_kv({.k = k.data(),
                      .v = v.data(),
                      .keys = keys,
                      .values = values,
                      .type = heads_.type,
                      .tokens = static_cast<int64_t>(k.size()) / (heads_.kv_heads * heads_.size),
                      .first_position = begin,
                      .kv_heads = heads_.kv_heads,
                      .head_size = heads_.size},
                     pool);
  }

  void WriteRandom(const KernelSet& kernels, std::mt19937& random, int64_t begin = 0) {
    const int64_t size = (length_ - begin) * heads_.kv_heads * heads_.size;
    const std::vector<float> k = RandomFloats(random, size);
    Write(kernels, begin, k, RandomFloats(random, size));
  }

  // Returns a sequence of `length` that shares the whole pages before `position`. It gets a copy of
  // the page that holds `position` and new pages after it.
  Cache Fork(int64_t position, int64_t length) const {
    Cache fork(heads_, length);
    const auto shared = Count(position / kKvPageTokens);
    std::copy_n(pages_.begin(), shared, fork.pages_.begin());
    if (position % kKvPageTokens != 0) *fork.pages_[shared] = *pages_[shared];
    return fork;
  }

  // Returns the pages for the kernels; valid as long as this object.
  KvView view() const {
    keys_.clear();
    values_.clear();
    for (const auto& page : pages_) {
      keys_.push_back(page->keys.data());
      values_.push_back(page->values.data());
    }
    return {.keys = keys_, .values = values_};
  }

  double Read(bool key, int64_t position, int64_t kv_head, int64_t channel) const {
    const Page& page = *pages_[Count(position / kKvPageTokens)];
    const int64_t slice = kv_head * KvSliceBytes(heads_.type, heads_.size);
    return ReadElement(heads_.type, (key ? page.keys : page.values).data() + slice, heads_.size,
                       key, position % kKvPageTokens, channel);
  }

  const std::vector<std::shared_ptr<Page>>& pages() const { return pages_; }
  const Heads& heads() const { return heads_; }
  int64_t length() const { return length_; }

 private:
  Heads heads_;
  int64_t length_;
  std::vector<std::shared_ptr<Page>> pages_;
  mutable std::vector<const std::byte*> keys_, values_;
};

// Queries holds new tokens of a sequence, with queries at the positions from `first` on.
struct Queries {
  const Cache* cache = nullptr;
  int64_t first = 0;
  std::vector<float> q{};  // [tokens, heads, size]
  const ChosenPages* chosen = nullptr;
  // Each range gives other queries to the pages from its first page on, in ascending order.
  std::vector<std::pair<int64_t, std::vector<float>>> ranges{};
  // In a memory with two element types, this cache holds the pages that KvView reads in the main
  // type, which lie before local_begin.
  const Cache* main_cache = nullptr;
  int64_t local_begin = 0;

  KvView view() const {
    KvView kv = cache->view();
    if (main_cache == nullptr) return kv;
    const KvView other = main_cache->view();
    kv.main_keys = other.keys;
    kv.main_values = other.values;
    kv.main_type = main_cache->heads().type;
    kv.local_begin = local_begin;
    return kv;
  }
  // Returns the cache that a position is read from.
  const Cache& CacheOf(int64_t position) const {
    return view().IsInMainType(position / kKvPageTokens) ? *main_cache : *cache;
  }

  int64_t Width() const { return cache->heads().heads * cache->heads().size; }
  int64_t tokens() const { return static_cast<int64_t>(q.size()) / Width(); }
  // Returns tokens [begin, end) as if there were no others. The cache still holds later tokens,
  // which these must not see.
  Queries Slice(int64_t begin, int64_t end) const {
    Queries slice{cache, first + begin, Rows(q, begin, end)};
    for (const auto& [page, other] : ranges)
      slice.ranges.emplace_back(page, Rows(other, begin, end));
    slice.main_cache = main_cache;
    slice.local_begin = local_begin;
    return slice;
  }
  // Returns the queries that a position is attended with.
  const std::vector<float>& For(int64_t position) const {
    const std::vector<float>* found = &q;
    for (const auto& [page, other] : ranges) {
      if (position >= page * kKvPageTokens) found = &other;
    }
    return *found;
  }

 private:
  std::vector<float> Rows(const std::vector<float>& of, int64_t begin, int64_t end) const {
    return {of.begin() + begin * Width(), of.begin() + end * Width()};
  }
};

// Returns queries for the last `tokens` positions of a cache.
inline Queries RandomQueries(std::mt19937& random, const Cache& cache, int64_t tokens,
                             double deviation = 2) {
  const Heads& heads = cache.heads();
  return {&cache, cache.length() - tokens,
          RandomFloats(random, tokens * heads.heads * heads.size, deviation)};
}

// Returns a sequence for the kernels, with the pages up to its last token only. It is valid as long
// as `queries` and `ranges`, which this fills.
inline AttentionSequence SequenceOf(const Queries& queries, std::vector<QueryRange>& ranges,
                                    float* out = nullptr) {
  ranges.clear();
  for (const auto& [page, q] : queries.ranges) {
    ranges.push_back({.first_page = page, .q = q.data()});
  }
  KvView kv = queries.view();
  const int64_t tokens = queries.tokens();
  const auto pages = Count((queries.first + tokens + kKvPageTokens - 1) / kKvPageTokens);
  kv.keys = kv.keys.first(pages);
  kv.values = kv.values.first(pages);
  return {.q = queries.q.data(),
          .out = out,
          .kv = kv,
          .tokens = tokens,
          .first_position = queries.first,
          .chosen = queries.chosen,
          .ranges = ranges};
}

// Returns the arguments that describe the layer, without sequences, plan and scratch.
inline AttentionArgs ArgsOf(const Heads& heads) {
  return {.sequences = {},
          .type = heads.type,
          .heads = heads.heads,
          .kv_heads = heads.kv_heads,
          .head_size = heads.size,
          .window = heads.window,
          .scale = ScaleOf(heads),
          .soft_cap = heads.soft_cap};
}

// Attends for several sequences of one layer in one call and returns their outputs in order.
inline std::vector<std::vector<float>> AttendAll(const KernelSet& kernels,
                                                 const std::vector<Queries>& batch,
                                                 int threads = 1) {
  std::vector<std::vector<float>> outs;
  std::vector<AttentionSequence> sequences;
  std::vector<std::vector<QueryRange>> ranges(batch.size());
  outs.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    outs.emplace_back(batch[i].q.size(), kNaN);
    sequences.push_back(SequenceOf(batch[i], ranges[i], outs.back().data()));
  }
  AttentionArgs args = ArgsOf(batch[0].cache->heads());
  args.sequences = sequences;
  const AttentionPlan plan = PlanAttention(args);
  Guarded scratch(AttentionScratchBytes(args, plan));
  args.plan = &plan;
  args.scratch = scratch.data();
  ThreadPool pool(threads);
  kernels.attention(args, pool);
  EXPECT_TRUE(scratch.IsIntact()) << "attention wrote beyond its scratch";
  return outs;
}

inline std::vector<float> Attend(const KernelSet& kernels, const Queries& queries,
                                 int threads = 1) {
  return std::move(AttendAll(kernels, {queries}, threads)[0]);
}

}  // namespace tome
