#include "tome/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tome/kernels/generic/kv_element.h"
#include "tome/kernels/simd/kv_page.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

constexpr int64_t kMaxQueries = 128;
// With so few queries the next page is asked of memory while this one is computed.
constexpr int64_t kFewQueries = 32;
constexpr int64_t kMaxSums = 128 * 128;  // of a block: AttentionBlockQueries · channels
// The largest score before any was seen: not −∞, whose difference to itself is no number.
constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr int64_t kPageVectors = kKvPageTokens / kLanes;

float ExpOf(float x) {
  alignas(64) float lanes[kLanes];
  Store(lanes, Exp(Set(x)));
  return lanes[0];
}

// How many of ascending pages come before `page`. Not std::lower_bound: an instance of a template
// of the library could be shared with other sets.
int64_t CountBelow(std::span<const int32_t> pages, int64_t page) {
  int64_t low = 0;
  for (auto high = static_cast<int64_t>(pages.size()); low < high;) {
    const int64_t middle = (low + high) / 2;
    if (pages[static_cast<size_t>(middle)] < page) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// One query: a head of a row, at a position.
struct Query {
  int64_t position = 0;
  int64_t first_seen = 0;
  const AttentionSequence* sequence = nullptr;
  int64_t at = 0;        // of its vector in the sequence's, and of its result
  int64_t partial = -1;  // its result among the partial ones; -1: not split

  float* out() const { return sequence->out + at; }
};

// The online softmax of a block's queries.
struct Softmax {
  float largest[kMaxQueries];
  float total[kMaxQueries];
  alignas(64) float sums[kMaxSums];  // [query][channels]

  void Reset(int64_t queries, int64_t channels) {
    std::fill_n(largest, queries, kLowest);
    std::fill_n(total, queries, 0.0F);
    std::fill_n(sums, queries * channels, 0.0F);
  }
};

void Scale(float* sums, int64_t channels, float factor) {
  const F32 f = Set(factor);
  for (int64_t c = 0; c < channels; c += kLanes) Store(sums + c, Mul(Load(sums + c), f));
}

// Adds a part's result to that of the parts before it.
void Merge(float largest, float total, const float* sums, int64_t channels, float& all_largest,
           float& all_total, float* all_sums) {
  const float most = std::max(largest, all_largest);
  const float mine = ExpOf(largest - most);
  const float theirs = ExpOf(all_largest - most);
  all_largest = most;
  all_total = all_total * theirs + total * mine;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int64_t left = channels - c;
    const F32 kept = Mul(LoadFirst(all_sums + c, left), Set(theirs));
    StoreFirst(all_sums + c, Fma(LoadFirst(sums + c, left), Set(mine), kept), left);
  }
}

// out = sums / total. Adding zero makes −0 a 0: whether masked positions were added to a sum is
// not to show.
void Normalize(const float* sums, float total, int64_t head_size, float* out) {
  for (int64_t c = 0; c < head_size; c += kLanes) {
    const int64_t left = head_size - c;
    StoreFirst(out + c, Add(Div(LoadFirst(sums + c, left), Set(total)), Zero()), left);
  }
}

// Heads that are attended together: `per_kv_head` of each of some key heads.
struct HeadRange {
  int64_t kv_begin = 0;
  int64_t kv_end = 0;
  int64_t first = 0;  // of kv_begin's; the other key heads' follow in steps of their group
  int64_t per_kv_head = 0;
};

// The queries of a block for a range of heads, over its parts.
template <typename Dot>
class BlockAttention {
 public:
  BlockAttention(const AttentionArgs& args, const AttentionPlan::Block& block,
                 const HeadRange& heads)
      : args_(args),
        block_(block),
        heads_(heads),
        per_kv_head_((block.member_end - block.member_begin) * heads.per_kv_head),
        channels_(PaddedHead(args.head_size)) {
    const int64_t group = args.heads / args.kv_heads;
    for (int64_t kv_head = heads.kv_begin; kv_head < heads.kv_end; ++kv_head) {
      const int64_t first_head = heads.first + (kv_head - heads.kv_begin) * group;
      for (int64_t i = block.member_begin; i < block.member_end; ++i) {
        const AttentionPlan::Member& member = args.plan->members[static_cast<size_t>(i)];
        const AttentionPlan::Row& row = args.plan->rows[static_cast<size_t>(member.row)];
        const AttentionSequence& sequence = args.sequences[static_cast<size_t>(row.sequence)];
        for (int64_t h = 0; h < heads.per_kv_head; ++h) {
          AddQuery(sequence, row.token, member.partial, first_head + h);
        }
        written_ = std::max(written_, sequence.first_position + sequence.tokens);
      }
    }
    // All rows of a block see the same pages, those of its first one's sequence; how far they were
    // written, the longest sequence says.
    sequence_ = queries_of_[0].sequence;
    const auto bytes = static_cast<size_t>(kKvPageTokens * channels_ * 4);
    std::memset(keys_, 0, bytes);
    std::memset(values_, 0, bytes);
    const float left = args.type == KvType::kF32    ? 1.0F
                       : args.type == KvType::kBF16 ? 1.0F - kShareOfRows<Dot, KvType::kBF16>
                                                    : 1.0F - kShareOfRows<Dot, KvType::kF16>;
    ahead_of_vector_ = left / static_cast<float>(per_kv_head_ * kPageVectors);
  }

  void Run() {
#if defined(__AMX_BF16__)
    const TileScope scope(static_cast<int>(std::min(per_kv_head_, kTileRows)), 64);
#endif
    if (block_.split) {
      AttendPart(block_.part_begin);
      for (int64_t i = 0; i < queries_; ++i) StorePartial(i);
      return;
    }
    all_.Reset(queries_, channels_);
    for (int64_t part = block_.part_begin; part < block_.part_end; ++part) {
      if (!HasPages(part)) continue;
      AttendPart(part);
      for (int64_t i = 0; i < queries_; ++i) {
        Merge(part_.largest[i], part_.total[i], part_.sums + i * channels_, channels_,
              all_.largest[i], all_.total[i], all_.sums + i * channels_);
      }
    }
    for (int64_t i = 0; i < queries_; ++i) {
      Normalize(all_.sums + i * channels_, all_.total[i], args_.head_size, queries_of_[i].out());
    }
  }

 private:
  static constexpr bool kPairs = std::is_same_v<Dot, BF16PairDot>;
  static constexpr int64_t kElementBytes = kPairs ? 2 : 4;

  void AddQuery(const AttentionSequence& sequence, int64_t token, int64_t partial, int64_t head) {
    const int64_t position = sequence.first_position + token;
    queries_of_[queries_] = {.position = position,
                             .first_seen = FirstSeen(position, args_.window),
                             .sequence = &sequence,
                             .at = (token * args_.heads + head) * args_.head_size,
                             .partial = partial < 0 ? -1 : partial * args_.heads + head};
    ++queries_;
  }

  // The vectors of all queries that `page` is attended with, where others are loaded.
  void LoadQueries(int64_t page) {
    if (page >= loaded_begin_ && page < loaded_end_) return;
    loaded_begin_ = page;
    loaded_end_ = std::numeric_limits<int64_t>::max();
    for (int64_t i = 0; i < queries_; ++i) {
      const QueriesOfPage queries = QueriesFor(*queries_of_[i].sequence, page);
      loaded_end_ = std::min(loaded_end_, queries.end);
      const float* const q = queries.q + queries_of_[i].at;
      std::byte* const to = q_ + i * channels_ * kElementBytes;
      for (int64_t c = 0; c < channels_; c += kLanes) {
        const F32 x = LoadFirst(q + c, args_.head_size - c);
        if constexpr (kPairs) {
          StoreBF16(to + c * 2, x);
        } else {
          Store(reinterpret_cast<float*>(to) + c, x);
        }
      }
    }
  }

  void AttendPart(int64_t part) {
    part_.Reset(queries_, channels_);
    int64_t first = std::numeric_limits<int64_t>::max();
    int64_t last = 0;
    for (int64_t i = 0; i < queries_; ++i) {
      first = std::min(first, queries_of_[i].first_seen);
      last = std::max(last, queries_of_[i].position);
    }
    const int64_t begin = std::max(first, part * kKvPartTokens) / kKvPageTokens;
    const int64_t end =
        std::min(last + 1, (part + 1) * kKvPartTokens);  // the first position not seen
    if (sequence_->chosen != nullptr) {
      AttendChosen(begin, (end + kKvPageTokens - 1) / kKvPageTokens);
      return;
    }
    for (int64_t page = begin; page * kKvPageTokens < end; ++page) {
      for (int64_t kv_head = heads_.kv_begin; kv_head < heads_.kv_end; ++kv_head) {
        const bool last_head = kv_head + 1 == heads_.kv_end;
        const int64_t next_page = page + (last_head ? 1 : 0);
        PageAhead ahead;
        if (per_kv_head_ <= kFewQueries && next_page * kKvPageTokens < end) {
          const int64_t next_head = last_head ? heads_.kv_begin : kv_head + 1;
          ahead = Ahead(SliceOf(next_page, next_head));
        }
        AttendPage(page, kv_head, ahead);
      }
    }
  }

  // Of pages [begin, end), those that a key head chose: the same for all rows.
  std::span<const int32_t> Chosen(int64_t kv_head, int64_t begin, int64_t end) const {
    const auto all = ChosenFor(*sequence_, queries_of_[0].position, kv_head, args_.kv_heads);
    const int64_t first = CountBelow(all, begin);
    return all.subspan(static_cast<size_t>(first),
                       static_cast<size_t>(CountBelow(all, end) - first));
  }

  // Merging a part without pages changes nothing and takes as long as any other.
  bool HasPages(int64_t part) const {
    if (sequence_->chosen == nullptr) return true;
    for (int64_t kv_head = heads_.kv_begin; kv_head < heads_.kv_end; ++kv_head) {
      if (!Chosen(kv_head, part * kKvPartPages, (part + 1) * kKvPartPages).empty()) return true;
    }
    return false;
  }

  void AttendChosen(int64_t begin, int64_t end) {
    const auto chosen = [&](int64_t kv_head) { return Chosen(kv_head, begin, end); };
    std::span<const int32_t> pages = chosen(heads_.kv_begin);
    for (int64_t kv_head = heads_.kv_begin; kv_head < heads_.kv_end; ++kv_head) {
      std::span<const int32_t> next;
      if (kv_head + 1 < heads_.kv_end) next = chosen(kv_head + 1);
      for (size_t i = 0; i < pages.size(); ++i) {
        const bool last = i + 1 == pages.size();
        PageAhead ahead;
        if (per_kv_head_ <= kFewQueries && !(last && next.empty())) {
          const int64_t page = last ? next.front() : pages[i + 1];
          const int64_t head = last ? kv_head + 1 : kv_head;
          ahead = Ahead(SliceOf(page, head));
        }
        AttendPage(pages[i], kv_head, ahead);
      }
      pages = next;
    }
  }

  // A key head's part of a page.
  struct Slice {
    KvType type;
    const std::byte* keys;
    const std::byte* values;
  };
  Slice SliceOf(int64_t page, int64_t kv_head) const {
    const KvView& kv = sequence_->kv;
    const KvType type = kv.TypeOf(page, args_.type);
    const int64_t at = kv_head * KvSliceBytes(type, args_.head_size);
    return {.type = type, .keys = kv.Keys(page) + at, .values = kv.Values(page) + at};
  }
  PageAhead Ahead(const Slice& slice) const {
    return {slice.keys, slice.values, KvSliceBytes(slice.type, args_.head_size)};
  }

  void AttendPage(int64_t page, int64_t kv_head, PageAhead& ahead) {
    LoadQueries(page);
    const int64_t base = page * kKvPageTokens;
    const Slice slice = SliceOf(page, kv_head);
    const PageOperands operands =
        OperandsOf<Dot>(slice.type, slice.keys, slice.values, args_.head_size,
                        std::min(written_ - base, kKvPageTokens), per_kv_head_ <= kFewQueries,
                        ahead, keys_, values_);
    const int64_t first = (kv_head - heads_.kv_begin) * per_kv_head_;
    for (int64_t begin = first; begin < first + per_kv_head_; begin += kTileRows) {
      const int64_t end = std::min(first + per_kv_head_, begin + kTileRows);
      bool seen = false;
      for (int64_t i = begin; i < end; ++i) {
        seen |= queries_of_[i].position >= base && queries_of_[i].first_seen < base + kKvPageTokens;
      }
      if (seen) AttendTile(begin, end, base, operands, ahead);
    }
  }

  void AttendTile(int64_t begin, int64_t end, int64_t base, const PageOperands& operands,
                  PageAhead& ahead) {
    alignas(64) float scores[kTileRows * kKvPageTokens];
    alignas(64) std::byte weights[kTileRows * kKvPageTokens * kElementBytes];
    constexpr int64_t kPerElement = kPairs ? 2 : 1;  // values of a 4-byte element of A
    Gemm<Dot>({.a = q_ + begin * channels_ * kElementBytes,
               .a_row = channels_ * kElementBytes,
               .a_block = kRowBlock * kElementBytes,
               .b = operands.keys,
               .b_step = kKvPageTokens * 4,
               .b_vector = kVectorBytes,
               .c = scores,
               .c_row = kKvPageTokens,
               .steps = channels_ / kPerElement},
              end - begin, kPageVectors);
    for (int64_t i = begin; i < end; ++i) {
      WeighRow(i, base, scores + (i - begin) * kKvPageTokens,
               weights + (i - begin) * kKvPageTokens * kElementBytes, ahead);
    }
    Gemm<Dot>({.a = weights,
               .a_row = kKvPageTokens * kElementBytes,
               .a_block = kRowBlock * kElementBytes,
               .b = operands.values,
               .b_step = channels_ * 4,
               .b_vector = kVectorBytes,
               .c = part_.sums + begin * channels_,
               .c_row = channels_,
               .steps = kKvPageTokens / kPerElement,
               .add = true},
              end - begin, channels_ / kLanes);
  }

  // Scores to softmax weights relative to the largest score so far.
  void WeighRow(int64_t i, int64_t base, const float* scores, std::byte* weights,
                PageAhead& ahead) {
    const Query& query = queries_of_[i];
    const int64_t begin = query.first_seen - base;
    const int64_t end = query.position + 1 - base;
    const bool masked = begin > 0 || end < kKvPageTokens;
    F32 x[kPageVectors];
    const F32 scale = Set(args_.scale);
    TOME_UNROLL
    for (int64_t v = 0; v < kPageVectors; ++v) x[v] = Mul(Load(scores + v * kLanes), scale);
    if (args_.soft_cap > 0) {
      TOME_UNROLL
      for (F32& s : x) s = Mul(Set(args_.soft_cap), Tanh(Div(s, Set(args_.soft_cap))));
    }
    if (masked) {
      TOME_UNROLL
      for (int64_t v = 0; v < kPageVectors; ++v) {
        const int64_t lane = v * kLanes;
        x[v] = Select(std::clamp<int64_t>(begin - lane, 0, kLanes),
                      std::clamp<int64_t>(end - lane, 0, kLanes), x[v], Set(kMinusInfinity));
      }
    }
    F32 most = x[0];
    TOME_UNROLL
    for (int64_t v = 1; v < kPageVectors; ++v) most = Max(most, x[v]);
    const float before = part_.largest[i];
    const float largest = std::max(before, Largest(most));
    const F32 shift = Set(largest);
    F32 sum = Zero();
    TOME_UNROLL
    for (F32& s : x) {
      ahead.Prefetch(ahead_of_vector_);
      s = Exp(Sub(s, shift));
      sum = Add(sum, s);
    }
    if constexpr (kPairs) {
      TOME_UNROLL
      for (int64_t v = 0; v < kPageVectors; v += 2) {
        StoreI32(weights + v * kLanes * 2, PackBF16(x[v], x[v + 1]));
      }
    } else {
      TOME_UNROLL
      for (int64_t v = 0; v < kPageVectors; ++v) {
        Store(reinterpret_cast<float*>(weights) + v * kLanes, x[v]);
      }
    }
    float total = part_.total[i];
    if (largest != before) {
      const float shrink = ExpOf(before - largest);
      total *= shrink;
      Scale(part_.sums + i * channels_, channels_, shrink);
      part_.largest[i] = largest;
    }
    part_.total[i] = total + Sum(sum);
  }

  void StorePartial(int64_t i) {
    float* const to = reinterpret_cast<float*>(args_.scratch) +
                      queries_of_[i].partial * AttentionPartialFloats(args_.head_size);
    std::copy_n(part_.sums + i * channels_, args_.head_size, to);
    to[args_.head_size] = part_.total[i];
    to[args_.head_size + 1] = part_.largest[i];
  }

  float ahead_of_vector_ = 0;  // share of the next page to ask for with every vector of weights
  const AttentionArgs& args_;
  const AttentionPlan::Block& block_;
  HeadRange heads_;
  int64_t per_kv_head_;  // queries of one key head
  int64_t channels_;
  const AttentionSequence* sequence_ = nullptr;
  int64_t written_ = 0;  // positions before it hold values
  int64_t queries_ = 0;
  int64_t loaded_begin_ = 0;  // pages that the loaded queries are for
  int64_t loaded_end_ = 0;
  Query queries_of_[kMaxQueries];
  alignas(64) std::byte q_[kMaxSums * 4];
  Softmax part_;
  Softmax all_;
  alignas(64) std::byte keys_[kPageOperandBytes];
  alignas(64) std::byte values_[kPageOperandBytes];
};

// The parts of one split query, merged in order.
void MergeParts(const AttentionArgs& args, const AttentionPlan::Row& row, int64_t head) {
  const AttentionSequence& sequence = args.sequences[static_cast<size_t>(row.sequence)];
  const int64_t size = args.head_size;
  float largest = kLowest;
  float total = 0;
  alignas(64) float sums[kMaxHeadSize] = {};
  for (int64_t part = 0; part < row.parts; ++part) {
    const float* const from =
        reinterpret_cast<const float*>(args.scratch) +
        ((row.partials + part) * args.heads + head) * AttentionPartialFloats(size);
    Merge(from[size + 1], from[size], from, size, largest, total, sums);
  }
  Normalize(sums, total, size, sequence.out + (row.token * args.heads + head) * size);
}

// Key heads of one task. Where few queries read long memories, all of a page's that have room, for
// memory is fastest in long runs; but every thread is to get several tasks.
int64_t KvHeadsTogether(const AttentionArgs& args, int64_t blocks, int threads) {
  const int64_t group = args.heads / args.kv_heads;
  int64_t rows = 1;
  for (const AttentionPlan::Block& block : args.plan->blocks) {
    if (!block.split) return 1;
    rows = std::max(rows, block.member_end - block.member_begin);
    // The last tile of one key head would run into the next one's queries.
    const int64_t queries = (block.member_end - block.member_begin) * HeadsTogether(group);
    if (queries > kTileRows && queries % kTileRows != 0) return 1;
  }
  const int64_t room = AttentionBlockQueries(args.head_size) / (rows * HeadsTogether(group));
  const int64_t tasks = int64_t{4} * threads;
  const int64_t spare = args.kv_heads * blocks / tasks;
  return std::clamp<int64_t>(std::min(room, spare), 1, args.kv_heads);
}

template <typename Dot>
void AttendAll(const AttentionArgs& args, ThreadPool& threads) {
  const AttentionPlan& plan = *args.plan;
  const int64_t group = args.heads / args.kv_heads;
  const int64_t together = HeadsTogether(group);
  const int64_t chunks = (group + together - 1) / together;  // of a key head's heads
  const auto blocks = static_cast<int64_t>(plan.blocks.size());
  const int64_t kv_heads = KvHeadsTogether(args, blocks, threads.threads());
  const int64_t ranges = (args.kv_heads + kv_heads - 1) / kv_heads;
  // A key head's blocks one after another: its keys and values stay in the cache.
  threads.ParallelFor(ranges * chunks * blocks, [&](int64_t task, int) {
    const int64_t kv_begin = task / (chunks * blocks) * kv_heads;
    const int64_t first = task / blocks % chunks * together;
    BlockAttention<Dot> block(args, plan.blocks[static_cast<size_t>(task % blocks)],
                              {.kv_begin = kv_begin,
                               .kv_end = std::min(args.kv_heads, kv_begin + kv_heads),
                               .first = kv_begin * group + first,
                               .per_kv_head = std::min(group - first, together)});
    block.Run();
  });
  const auto merged = static_cast<int64_t>(plan.merged.size());
  threads.ParallelFor(merged * args.kv_heads, [&](int64_t task, int) {
    const AttentionPlan::Row& row =
        plan.rows[static_cast<size_t>(plan.merged[static_cast<size_t>(task / args.kv_heads)])];
    const int64_t first = task % args.kv_heads * group;
    for (int64_t head = first; head < first + group; ++head) MergeParts(args, row, head);
  });
}

// --- Writing -----------------------------------------------------------------------------------

// As generic::WriteKvVector, with the rounding of a whole head at once.
void WriteQuantized(const KvWriteArgs& args, bool keys, const float* x, std::byte* slice,
                    int64_t slot) {
  const int64_t size = args.head_size;
  const bool eight = args.type == KvType::kQ8;
  std::byte* const scales = slice + KvElementBytes(args.type, size);
  alignas(64) int32_t q[kKvScaleDims];
  for (int64_t begin = 0; begin < size; begin += kKvScaleDims) {
    const int64_t end = std::min(size, begin + kKvScaleDims);
    float largest = 0;  // the value of largest magnitude; a NaN stays
    for (int64_t c = begin; c < end; ++c) {
      if (!(std::abs(x[c]) <= std::abs(largest))) largest = x[c];
    }
    const float scale = eight ? std::abs(largest) / 127.0F : largest / -8.0F;
    const uint16_t half = F16FromFloat(std::clamp(scale, -65504.0F, 65504.0F));
    const float d = FloatFromF16(half);
    std::memcpy(scales + (begin / kKvScaleDims * kKvPageTokens + slot) * 2, &half, 2);
    const F32 inverse = Set(d == 0 || !std::isfinite(d) ? 0.0F : 1.0F / d);
    const F32 low = Set(eight ? -127.0F : -8.0F);
    const F32 high = Set(eight ? 127.0F : 7.0F);
    for (int64_t i = 0; i < kKvScaleDims; i += kLanes) {
      const F32 scaled = Mul(LoadFirst(x + begin + i, size - begin - i), inverse);
      StoreI32(q + i, ToI32(Max(low, Min(scaled, high))));
    }
    for (int64_t c = begin; c < end; ++c) {
      generic::WriteKvInteger(
          args.type, slice,
          keys ? KeyElement(args.type, slot, c) : ValueElement(args.type, size, slot, c),
          q[c - begin]);
    }
  }
  if (size % 2 != 0) {
    generic::WriteKvInteger(
        args.type, slice,
        keys ? KeyElement(args.type, slot, size) : ValueElement(args.type, size, slot, size), 0);
  }
}

void WriteHalves(const KvWriteArgs& args, bool keys, const float* x, std::byte* slice,
                 int64_t slot) {
  alignas(64) uint16_t halves[kMaxHeadSize + kLanes];
  if (args.type == KvType::kF16) {
    const F32 most = Set(65504);
    for (int64_t c = 0; c < args.head_size; c += kLanes) {
      const F32 value = LoadFirst(x + c, args.head_size - c);
      StoreF16(halves + c, Max(Sub(Zero(), most), Min(most, value)));
    }
  } else {
    // Not by StoreBF16: the instruction behind it makes zeros of denormals.
    for (int64_t c = 0; c < args.head_size; ++c) halves[c] = BF16FromFloat(x[c]);
  }
  const int64_t padded = KvPaddedHead(args.head_size);
  if (args.head_size % 2 != 0) halves[args.head_size] = 0;
  if (keys) {
    for (int64_t pair = 0; pair < padded / 2; ++pair) {
      std::memcpy(slice + (pair * kKvPageTokens + slot) * 4, halves + 2 * pair, 4);
    }
    return;
  }
  std::byte* const to = slice + (slot / 2 * padded * 2 + slot % 2) * 2;
  for (int64_t c = 0; c < padded; ++c) std::memcpy(to + c * 4, halves + c, 2);
}

void WriteToken(const KvWriteArgs& args, bool keys, const float* x, std::byte* slice,
                int64_t slot) {
  if (args.type == KvType::kF32) {
    return generic::WriteKvVector(args.type, slice, args.head_size, keys, slot, x);
  }
  if (IsScaled(args.type)) return WriteQuantized(args, keys, x, slice, slot);
  WriteHalves(args, keys, x, slice, slot);
}

}  // namespace

void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept {
  if constexpr (kHasBF16Dot) {
    if (args.type != KvType::kF32) return AttendAll<BF16PairDot>(args, threads);
  }
  AttendAll<F32Dot>(args, threads);
}

void WriteKv(const KvWriteArgs& args, ThreadPool& threads) noexcept {
  if (args.tokens == 0) return;
  const int64_t first = args.first_position / kKvPageTokens;
  const int64_t last = (args.first_position + args.tokens - 1) / kKvPageTokens;
  const int64_t slice = KvSliceBytes(args.type, args.head_size);
  // A page's slice is written by one thread: nibbles of two tokens share a byte.
  threads.ParallelFor((last - first + 1) * args.kv_heads, [&](int64_t task, int) {
    const int64_t page = first + task / args.kv_heads;
    const int64_t head = task % args.kv_heads;
    const int64_t begin = std::max(args.first_position, page * kKvPageTokens);
    const int64_t end = std::min(args.first_position + args.tokens, (page + 1) * kKvPageTokens);
    for (int64_t position = begin; position < end; ++position) {
      const int64_t from =
          ((position - args.first_position) * args.kv_heads + head) * args.head_size;
      const int64_t slot = position % kKvPageTokens;
      WriteToken(args, true, args.k + from, args.keys[static_cast<size_t>(page)] + head * slice,
                 slot);
      WriteToken(args, false, args.v + from, args.values[static_cast<size_t>(page)] + head * slice,
                 slot);
    }
  });
}

}  // namespace tome::TOME_KERNEL_SET
