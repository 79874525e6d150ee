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
// With at most this many queries of a key head, most time goes to memory. Then a page is read for
// all key heads before the next page.
constexpr int64_t kFewQueries = 32;
// Pages whose operands are in use at a time: one is summed up, one weighed, one scored.
constexpr int64_t kPagesUnderWay = 3;
// Larger heads have few queries in a block, and so only one page in use at a time.
constexpr int64_t kMaxHeadOfMany = 256;
static_assert(AttentionBlockQueries(kMaxHeadOfMany + 1) <= kFewQueries);
constexpr int64_t kOperandBytes =
    std::max(kPageOperandBytes, kPagesUnderWay* kKvPageTokens* kMaxHeadOfMany * 4);
// Sums of one block: AttentionBlockQueries · channels.
constexpr int64_t kMaxSums = 128 * 128;
// The reference before any score is seen. It is not −∞, because −∞ − (−∞) is NaN.
constexpr float kLowest = std::numeric_limits<float>::lowest();
// A page whose weights sum up to more than this moves the reference. Few pages do, and a float
// still holds the sums of a part's pages with values up to 1e32.
constexpr float kMostOfPage = 0x1p16F;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr int64_t kPageVectors = kKvPageTokens / kLanes;
// Queries are scaled by this, so that scores are in units of ln 2 and weights are powers of two.
constexpr float kLog2E = 1.44269504088896341F;

// Returns how many of the ascending pages come before `page`. An instance of std::lower_bound could
// be shared with other kernel sets.
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

// One query: one head of one row.
struct Query {
  int64_t position = 0;
  int64_t first_seen = 0;
  const AttentionSequence* sequence = nullptr;
  int64_t at = 0;        // index of its vector in the sequence's q, and of its result in `out`
  int64_t partial = -1;  // index of its partial result; -1: not split

  float* out() const { return sequence->out + at; }
};

// The online softmax of a block's queries. Weights are relative to a reference: the largest score
// of the first page, or of the last page that went far beyond it (kMostOfPage). It need not be the
// largest score of all, since floats and BF16 are equally precise at any size. So most pages are
// not searched for their largest score, and sums are rarely scaled.
struct Softmax {
  alignas(64) float reference[kMaxQueries];  // in units of ln 2
  alignas(64) float total[kMaxQueries];
  alignas(64) float sums[kMaxSums];  // [query][channels]

  void Reset(int64_t queries, int64_t channels) {
    const int64_t lanes = (queries + kLanes - 1) / kLanes * kLanes;
    std::fill_n(reference, lanes, kLowest);
    std::fill_n(total, lanes, 0.0F);
    std::fill_n(sums, queries * channels, 0.0F);
  }
};

void Scale(float* sums, int64_t channels, float factor) {
  const F32 f = Set(factor);
  for (int64_t c = 0; c < channels; c += kLanes) Store(sums + c, Mul(Load(sums + c), f));
}

// The factors of the two sides of a merge, for kLanes queries.
struct MergeFactors {
  alignas(64) float mine[kLanes];
  alignas(64) float theirs[kLanes];
};

// Adds a part's totals to the totals of the parts before it, and returns the factors for the sums.
MergeFactors MergeTotals(F32 reference, F32 total, float* all_reference, float* all_total) {
  const F32 before = Load(all_reference);
  const F32 most = Max(reference, before);
  const F32 mine = Exp2(Sub(reference, most));
  const F32 theirs = Exp2(Sub(before, most));
  Store(all_reference, most);
  Store(all_total, Add(Mul(Load(all_total), theirs), Mul(total, mine)));
  MergeFactors factors;
  Store(factors.mine, mine);
  Store(factors.theirs, theirs);
  return factors;
}

void MergeSums(float mine, float theirs, const float* sums, int64_t channels, float* all_sums) {
  const F32 m = Set(mine);
  const F32 t = Set(theirs);
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    Store(all_sums + c, Fma(Load(sums + c), m, Mul(Load(all_sums + c), t)));
  }
  if (c >= channels) return;
  const F32 kept = Mul(LoadFirst(all_sums + c, channels - c), t);
  StoreFirst(all_sums + c, Fma(LoadFirst(sums + c, channels - c), m, kept), channels - c);
}

// Writes sums / total to `out`. Adding zero turns −0 into 0, so that the result does not show
// whether masked positions were added to a sum.
void Normalize(const float* sums, float total, int64_t head_size, float* out) {
  for (int64_t c = 0; c < head_size; c += kLanes) {
    const int64_t left = head_size - c;
    StoreFirst(out + c, Add(Div(LoadFirst(sums + c, left), Set(total)), Zero()), left);
  }
}

// Heads that are attended together: `per_kv_head` heads of each key head in [kv_begin, kv_end).
struct HeadRange {
  int64_t kv_begin = 0;
  int64_t kv_end = 0;
  int64_t first = 0;  // first head of kv_begin; each further key head adds heads / kv_heads
  int64_t per_kv_head = 0;
};

// Attends the queries of a block and a range of heads, over the parts of the block.
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
    // All rows of a block see the same pages, which the first row's sequence has. The longest
    // sequence says how far they were written.
    sequence_ = queries_of_[0].sequence;
    slice_bytes_ = KvSliceBytes(args.type, args.head_size);
    main_slice_bytes_ = KvSliceBytes(sequence_->kv.main_type, args.head_size);
    FindSights();
    operand_bytes_ = kKvPageTokens * channels_ * kElementBytes;
    if (args.head_size % kRowBlock != 0) {  // zeroes the padding
      const auto bytes =
          static_cast<size_t>(operand_bytes_ * (per_kv_head_ > kFewQueries ? kPagesUnderWay : 1));
      std::memset(keys_, 0, bytes);
      std::memset(values_, 0, bytes);
    }
    const float left = args.type == KvType::kF32    ? 1.0F
                       : args.type == KvType::kBF16 ? 1.0F - kShareOfRows<Dot, KvType::kBF16>
                                                    : 1.0F - kShareOfRows<Dot, KvType::kF16>;
    ahead_of_row_ = 1 / static_cast<float>(per_kv_head_);
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
      MergePart();
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

  // The positions that the queries of a tile see, the same for all key heads.
  struct Sight {
    int64_t first_position = std::numeric_limits<int64_t>::max();
    int64_t last_position = 0;
    int64_t first_seen = std::numeric_limits<int64_t>::max();
    int64_t last_first_seen = 0;
  };
  void FindSights() {
    for (int64_t i = 0; i < per_kv_head_; ++i) {
      const Query& query = queries_of_[i];
      Sight& sight = sights_[i / kTileRows];
      sight.first_position = std::min(sight.first_position, query.position);
      sight.last_position = std::max(sight.last_position, query.position);
      sight.first_seen = std::min(sight.first_seen, query.first_seen);
      sight.last_first_seen = std::max(sight.last_first_seen, query.first_seen);
    }
  }

  // Loads the vectors of all queries for `page`, unless they are loaded already.
  void LoadQueries(int64_t page) {
    if (page >= loaded_begin_ && page < loaded_end_) return;
    const F32 scale = Set(args_.scale * kLog2E);
    loaded_begin_ = page;
    loaded_end_ = std::numeric_limits<int64_t>::max();
    for (int64_t i = 0; i < queries_; ++i) {
      const QueriesOfPage queries = QueriesFor(*queries_of_[i].sequence, page);
      loaded_end_ = std::min(loaded_end_, queries.end);
      const float* const q = queries.q + queries_of_[i].at;
      std::byte* const to = q_ + i * channels_ * kElementBytes;
      for (int64_t c = 0; c < channels_; c += kLanes) {
        const F32 x = Mul(LoadFirst(q + c, args_.head_size - c), scale);
        if constexpr (kPairs) {
          StoreBF16(to + c * 2, x);
        } else {
          Store(reinterpret_cast<float*>(to) + c, x);
        }
      }
    }
  }

  void MergePart() {
    for (int64_t begin = 0; begin < queries_; begin += kLanes) {
      const MergeFactors factors =
          MergeTotals(Load(part_.reference + begin), Load(part_.total + begin),
                      all_.reference + begin, all_.total + begin);
      const int64_t end = std::min(queries_, begin + kLanes);
      for (int64_t i = begin; i < end; ++i) {
        MergeSums(factors.mine[i - begin], factors.theirs[i - begin], part_.sums + i * channels_,
                  channels_, all_.sums + i * channels_);
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
        std::min(last + 1, (part + 1) * kKvPartTokens);  // first position that is not attended
    const int64_t end_page = (end + kKvPageTokens - 1) / kKvPageTokens;
    if (per_kv_head_ > kFewQueries) {
      for (int64_t kv_head = heads_.kv_begin; kv_head < heads_.kv_end; ++kv_head) {
        AttendPages(PagesOf(kv_head, begin, end_page), kv_head);
      }
    } else if (sequence_->chosen != nullptr) {
      AttendChosen(begin, end_page);
    } else {
      AttendAllOf(begin, end_page);
    }
  }

  // Attends page after page, each for all key heads.
  void AttendAllOf(int64_t begin, int64_t end) {
    for (int64_t page = begin; page < end; ++page) {
      for (int64_t kv_head = heads_.kv_begin; kv_head < heads_.kv_end; ++kv_head) {
        const bool last_head = kv_head + 1 == heads_.kv_end;
        const int64_t next_page = page + (last_head ? 1 : 0);
        PageAhead ahead;
        if (next_page < end) {
          const int64_t next_head = last_head ? heads_.kv_begin : kv_head + 1;
          ahead = Ahead(SliceOf(next_page, next_head));
        }
        AttendPage(page, kv_head, ahead);
      }
    }
  }

  // Pages [begin, end), or a list of pages.
  class PageList {
   public:
    PageList(int64_t begin, int64_t end) : begin_(begin), size_(end - begin) {}
    explicit PageList(std::span<const int32_t> pages)
        : size_(static_cast<int64_t>(pages.size())), pages_(pages.data()) {}
    int64_t size() const { return size_; }
    int64_t operator[](int64_t i) const { return pages_ != nullptr ? pages_[i] : begin_ + i; }

   private:
    int64_t begin_ = 0;
    int64_t size_ = 0;
    const int32_t* pages_ = nullptr;
  };
  PageList PagesOf(int64_t kv_head, int64_t begin, int64_t end) const {
    if (sequence_->chosen == nullptr) return {begin, end};
    return PageList(Chosen(kv_head, begin, end));
  }

  // Returns the pages of [begin, end) that a key head chose, the same for all rows.
  std::span<const int32_t> Chosen(int64_t kv_head, int64_t begin, int64_t end) const {
    const auto all = ChosenFor(*sequence_, queries_of_[0].position, kv_head, args_.kv_heads);
    const int64_t first = CountBelow(all, begin);
    return all.subspan(static_cast<size_t>(first),
                       static_cast<size_t>(CountBelow(all, end) - first));
  }

  // Returns whether a part has chosen pages. Merging one without would only cost time.
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
        if (!(last && next.empty())) {
          const int64_t page = last ? next.front() : pages[i + 1];
          const int64_t head = last ? kv_head + 1 : kv_head;
          ahead = Ahead(SliceOf(page, head));
        }
        AttendPage(pages[i], kv_head, ahead);
      }
      pages = next;
    }
  }

  // The slice of a page that belongs to one key head.
  struct Slice {
    KvType type;
    const std::byte* keys;
    const std::byte* values;
    int64_t bytes;
  };
  Slice SliceOf(int64_t page, int64_t kv_head) const {
    const KvView& kv = sequence_->kv;
    const KvType type = kv.TypeOf(page, args_.type);
    const int64_t bytes = type == args_.type ? slice_bytes_ : main_slice_bytes_;
    const int64_t at = kv_head * bytes;
    return {
        .type = type, .keys = kv.Keys(page) + at, .values = kv.Values(page) + at, .bytes = bytes};
  }
  PageAhead Ahead(const Slice& slice) const { return {slice.keys, slice.values, slice.bytes}; }

  // A page's first position and its operands.
  struct Page {
    int64_t base = 0;
    PageOperands operands;
  };

  // Returns a page for one key head. Converted operands go to `slot` of the buffers.
  Page PageOf(int64_t page, int64_t kv_head, int64_t slot, PageAhead& ahead) {
    const int64_t base = page * kKvPageTokens;
    const Slice slice = SliceOf(page, kv_head);
    return {base,
            OperandsOf<Dot>(slice.type, slice.keys, slice.values, args_.head_size,
                            std::min(written_ - base, kKvPageTokens), per_kv_head_ <= kFewQueries,
                            ahead, keys_ + slot * operand_bytes_, values_ + slot * operand_bytes_)};
  }

  // Up to kTileRows queries of one key head, with one page.
  struct Tile {
    Page page;
    int64_t begin = 0;
    int64_t end = 0;
    bool masked = false;  // a part of the page is hidden from some of the queries
    alignas(64) float scores[kTileRows * kKvPageTokens];
    alignas(64) std::byte weights[kTileRows * kKvPageTokens * kElementBytes];

    int64_t rows() const { return end - begin; }
  };

  // Attends one page with few queries.
  void AttendPage(int64_t page, int64_t kv_head, PageAhead& ahead) {
    LoadQueries(page);
    Cursor cursor{.first = (kv_head - heads_.kv_begin) * per_kv_head_};
    cursor.row = cursor.first;
    cursor.page = PageOf(page, kv_head, 0, ahead);
    AttendTiles<true>([&](Tile& tile) { return NextTile(cursor, tile); }, ahead);
  }

  // Attends page after page with many queries, each page with all queries of a key head.
  void AttendPages(const PageList& pages, int64_t kv_head) {
    Cursor cursor{.first = (kv_head - heads_.kv_begin) * per_kv_head_};
    cursor.row = cursor.first + per_kv_head_;
    int64_t at = 0;
    int64_t slot = 0;
    bool seen = false;  // a tile sees the cursor's page, so its slot is in use
    PageAhead ahead;
    AttendTiles<false>(
        [&](Tile& tile) {
          while (!NextTile(cursor, tile)) {
            if (at >= pages.size()) return false;
            LoadQueries(pages[at]);
            if (seen) slot = (slot + 1) % kPagesUnderWay;
            PageAhead none;
            cursor.page = PageOf(pages[at], kv_head, slot, none);
            cursor.row = cursor.first;
            seen = false;
            ++at;
            ahead = at < pages.size() ? Ahead(SliceOf(pages[at], kv_head)) : PageAhead();
          }
          return seen = true;
        },
        ahead);
  }

  // The place of the next tile among the queries of one key head.
  struct Cursor {
    int64_t first = 0;
    int64_t row = 0;
    Page page = {};
  };

  // Finds the next tile of the cursor's page whose queries may see some of the page. Returns false
  // if there is no such tile.
  bool NextTile(Cursor& cursor, Tile& tile) const {
    const int64_t base = cursor.page.base;
    const int64_t end = cursor.first + per_kv_head_;
    while (cursor.row < end) {
      const Sight& sight = sights_[(cursor.row - cursor.first) / kTileRows];
      tile.page = cursor.page;
      tile.begin = cursor.row;
      cursor.row = tile.end = std::min(end, cursor.row + kTileRows);
      if (sight.last_position < base || sight.first_seen >= base + kKvPageTokens) continue;
      tile.masked = sight.first_position < base + kKvPageTokens - 1 || sight.last_first_seen > base;
      return true;
    }
    return false;
  }

  // Attends all tiles that `next` gives. While the weights of one tile are computed, the scores of
  // the next and the sums of the previous tile are multiplied between its rows. The weights depend
  // on neither product, so vector units and tile registers work at the same time. With kFew, so
  // does memory (PageAhead).
  template <bool kFew, typename Next>
  void AttendTiles(Next next, PageAhead& ahead) {
    Tile tiles[2];
    GemmSteps<Dot> scoring;
    GemmSteps<Dot> summing;
    bool have = next(tiles[0]);
    if (have) ScoreTile(tiles[0]).Finish();
    for (int at = 0; have; at ^= 1) {
      Tile& tile = tiles[at];
      have = next(tiles[at ^ 1]);
      scoring = have ? ScoreTile(tiles[at ^ 1]) : GemmSteps<Dot>();
      const int64_t each = (scoring.steps() + summing.steps() + tile.rows() - 1) / tile.rows();
      F32 totals[kTileRows];
      WeighTile<kFew>(tile, ahead, totals, [&] {
        for (int64_t i = 0; i < each; ++i) scoring.Step() || summing.Step();
      });
      scoring.Finish();
      summing.Finish();
      AddTotals(tile, totals);  // may scale sums, so summing was finished before
      summing = SumTile(tile);
    }
    summing.Finish();
  }

  static constexpr int64_t kPerElement = kPairs ? 2 : 1;  // values in a 4-byte element of A

  GemmSteps<Dot> ScoreTile(Tile& tile) const {
    return {{.a = q_ + tile.begin * channels_ * kElementBytes,
             .a_row = channels_ * kElementBytes,
             .a_block = kRowBlock * kElementBytes,
             .b = tile.page.operands.keys,
             .b_step = kKvPageTokens * 4,
             .b_vector = kVectorBytes,
             .c = tile.scores,
             .c_row = kKvPageTokens,
             .steps = channels_ / kPerElement},
            tile.rows(),
            kPageVectors};
  }

  GemmSteps<Dot> SumTile(const Tile& tile) {
    return {{.a = tile.weights,
             .a_row = kKvPageTokens * kElementBytes,
             .a_block = kRowBlock * kElementBytes,
             .b = tile.page.operands.values,
             .b_step = channels_ * 4,
             .b_vector = kVectorBytes,
             .c = part_.sums + tile.begin * channels_,
             .c_row = channels_,
             .steps = kKvPageTokens / kPerElement,
             .add = true},
            tile.rows(),
            channels_ / kLanes};
  }

  // Applies the soft cap to a tile's scores and sets the scores of hidden positions to −∞.
  void CapAndMask(Tile& tile) const {
    if (args_.soft_cap > 0) Cap(tile);
    if (tile.masked) Mask(tile);
  }

  void Cap(Tile& tile) const {
    const F32 cap = Set(args_.soft_cap * kLog2E);
    const F32 inner = Set(1 / (args_.soft_cap * kLog2E));
    for (int64_t i = 0; i < tile.rows() * kKvPageTokens; i += kLanes) {
      float* const scores = tile.scores + i;
      Store(scores, Mul(cap, Tanh(Mul(Load(scores), inner))));
    }
  }

  void Mask(Tile& tile) const {
    const int64_t base = tile.page.base;
    for (int64_t i = tile.begin; i < tile.end; ++i) {
      float* const scores = tile.scores + (i - tile.begin) * kKvPageTokens;
      const int64_t begin = queries_of_[i].first_seen - base;
      const int64_t end = queries_of_[i].position + 1 - base;
      for (int64_t lane = 0; lane < kKvPageTokens; lane += kLanes) {
        Store(scores + lane, Select(std::clamp<int64_t>(begin - lane, 0, kLanes),
                                    std::clamp<int64_t>(end - lane, 0, kLanes), Load(scores + lane),
                                    Set(kMinusInfinity)));
      }
    }
  }

  // Computes the softmax weights of a tile and each row's total, spread over lanes. Calls `between`
  // before each row.
  template <bool kFew, typename Between>
  void WeighTile(Tile& tile, PageAhead& ahead, F32* totals, Between between) {
    CapAndMask(tile);
    FindFirstReferences(tile);
    for (int64_t row = 0; row < tile.rows(); ++row) {
      between();
      if constexpr (!kFew) ahead.Prefetch(ahead_of_row_);
      totals[row] = WeighRow<kFew>(tile, row, ahead);
    }
  }

  // Computes the weights of a row and returns their total, spread over lanes.
  template <bool kFew>
  F32 WeighRow(Tile& tile, int64_t row, PageAhead& ahead) {
    const float* const scores = tile.scores + row * kKvPageTokens;
    std::byte* const weights = tile.weights + row * kKvPageTokens * kElementBytes;
    const F32 reference = Set(part_.reference[tile.begin + row]);
    F32 x[kPageVectors];
    F32 sum = Zero();
    TOME_UNROLL
    for (int64_t v = 0; v < kPageVectors; ++v) {
      if constexpr (kFew) ahead.Prefetch(ahead_of_vector_);
      const F32 score = Sub(Load(scores + v * kLanes), reference);
      x[v] = kPairs ? Exp2ForBF16(score) : Exp2(score);
      sum = Add(sum, x[v]);
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
    return sum;
  }

  // Adds the totals of a tile's rows to those of its queries. Lanes are summed for kLanes rows
  // together, so that no step waits for the sum of a single row. Lanes after a tile's rows belong
  // to other queries.
  void AddTotals(Tile& tile, F32* totals) {
    for (int64_t row = 0; row < tile.rows(); row += kLanes) {
      const int64_t count = std::min<int64_t>(tile.rows() - row, kLanes);
      for (int64_t i = count; i < RowsSummed(count); ++i) totals[row + i] = Zero();
      F32 added = SumOfRows(totals + row, count);
      uint32_t beyond = LanesAbove(added, Set(kMostOfPage)) & ((1U << count) - 1U);
      if (beyond != 0) {
        for (; beyond != 0; beyond &= beyond - 1) {
          const int64_t i = row + __builtin_ctz(beyond);
          MoveReference(tile, i);
          PageAhead none;
          totals[i] = WeighRow<false>(tile, i, none);
        }
        added = SumOfRows(totals + row, count);
      }
      float* const total = part_.total + tile.begin + row;
      StoreFirst(total, Add(LoadFirst(total, count), added), count);
    }
  }

  // Sets the references of the tile's queries that have not seen a page yet.
  void FindFirstReferences(Tile& tile) {
    for (int64_t row = 0; row < tile.rows(); row += kLanes) {
      const int64_t count = std::min<int64_t>(tile.rows() - row, kLanes);
      const F32 references = LoadFirst(part_.reference + tile.begin + row, count);
      uint32_t seen = LanesAbove(references, Set(kLowest));
      for (uint32_t left = ~seen & ((1U << count) - 1U); left != 0; left &= left - 1) {
        MoveReference(tile, row + __builtin_ctz(left));
      }
    }
  }

  void MoveReference(const Tile& tile, int64_t row) {
    const float* const scores = tile.scores + row * kKvPageTokens;
    F32 most = Load(scores);
    TOME_UNROLL
    for (int64_t v = 1; v < kPageVectors; ++v) most = Max(most, Load(scores + v * kLanes));
    const int64_t query = tile.begin + row;
    const float before = part_.reference[query];
    const float reference = std::max(before, Largest(most));
    part_.reference[query] = reference;
    if (before == kLowest) return;  // there are no sums yet
    alignas(64) float shrink[kLanes];
    Store(shrink, Exp2(Set(before - reference)));
    part_.total[query] *= shrink[0];
    Scale(part_.sums + query * channels_, channels_, shrink[0]);
  }

  void StorePartial(int64_t i) {
    float* const to = reinterpret_cast<float*>(args_.scratch) +
                      queries_of_[i].partial * AttentionPartialFloats(args_.head_size);
    std::copy_n(part_.sums + i * channels_, args_.head_size, to);
    to[args_.head_size] = part_.total[i];
    to[args_.head_size + 1] = part_.reference[i];
  }

  int64_t slice_bytes_ = 0;       // one head's keys (or values) of a page, in args.type
  int64_t main_slice_bytes_ = 0;  // one head's keys (or values) of a page, in the main type
  int64_t operand_bytes_ = 0;     // one head's keys (or values) of a page, as an operand
  float ahead_of_row_ = 0;        // share of the next page to request with each row
  float ahead_of_vector_ = 0;     // share of the next page to request with each vector
  const AttentionArgs& args_;
  const AttentionPlan::Block& block_;
  HeadRange heads_;
  int64_t per_kv_head_;  // queries of one key head
  int64_t channels_;     // PaddedHead
  const AttentionSequence* sequence_ = nullptr;
  int64_t written_ = 0;  // positions before it hold values
  int64_t queries_ = 0;
  int64_t loaded_begin_ = 0;  // the loaded queries are for pages [loaded_begin_, loaded_end_)
  int64_t loaded_end_ = 0;
  Query queries_of_[kMaxQueries];
  Sight sights_[kMaxQueries / kTileRows];
  alignas(64) std::byte q_[kMaxSums * 4];
  Softmax part_;
  Softmax all_;
  alignas(64) std::byte keys_[kOperandBytes];
  alignas(64) std::byte values_[kOperandBytes];
};

// Merges, in order, the partial results of a row for the query heads of one key head.
void MergeParts(const AttentionArgs& args, const AttentionPlan::Row& row, int64_t kv_head) {
  const AttentionSequence& sequence = args.sequences[static_cast<size_t>(row.sequence)];
  const int64_t size = args.head_size;
  const int64_t group = args.heads / args.kv_heads;
  alignas(64) float sums[kLanes * kMaxHeadSize];
  for (int64_t begin = kv_head * group; begin < (kv_head + 1) * group; begin += kLanes) {
    const int64_t count = std::min<int64_t>((kv_head + 1) * group - begin, kLanes);
    alignas(64) float reference[kLanes];
    alignas(64) float total[kLanes];
    alignas(64) float part_reference[kLanes] = {};
    alignas(64) float part_total[kLanes] = {};
    std::fill_n(reference, kLanes, kLowest);
    std::fill_n(total, kLanes, 0.0F);
    std::fill_n(sums, count * size, 0.0F);
    for (int64_t part = 0; part < row.parts; ++part) {
      const float* const from =
          reinterpret_cast<const float*>(args.scratch) +
          ((row.partials + part) * args.heads + begin) * AttentionPartialFloats(size);
      for (int64_t i = 0; i < count; ++i) {
        part_total[i] = from[i * AttentionPartialFloats(size) + size];
        part_reference[i] = from[i * AttentionPartialFloats(size) + size + 1];
      }
      const MergeFactors factors =
          MergeTotals(Load(part_reference), Load(part_total), reference, total);
      for (int64_t i = 0; i < count; ++i) {
        MergeSums(factors.mine[i], factors.theirs[i], from + i * AttentionPartialFloats(size), size,
                  sums + i * size);
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      Normalize(sums + i * size, total[i], size,
                sequence.out + (row.token * args.heads + begin + i) * size);
    }
  }
}

// Returns the key heads of one task. Where few queries read long memories, a task takes all key
// heads that its block has room for, because memory is fastest in long runs. But every thread
// should get several tasks.
int64_t KvHeadsTogether(const AttentionArgs& args, int64_t blocks, int threads) {
  const int64_t group = args.heads / args.kv_heads;
  // The remaining heads of a group would make other tiles.
  if (group > HeadsTogether(group)) return 1;
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
  const int64_t chunks = (group + together - 1) / together;  // of the heads of one key head
  const auto blocks = static_cast<int64_t>(plan.blocks.size());
  const int64_t kv_heads = KvHeadsTogether(args, blocks, threads.threads());
  const int64_t ranges = (args.kv_heads + kv_heads - 1) / kv_heads;
  // The blocks of a key head come one after another, so that its keys and values stay in the cache.
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
    MergeParts(args, row, task % args.kv_heads);
  });
}

}  // namespace

void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept {
  if constexpr (kHasBF16Dot) {
    if (args.type != KvType::kF32) return AttendAll<BF16PairDot>(args, threads);
  }
  AttendAll<F32Dot>(args, threads);
}

}  // namespace tome::TOME_KERNEL_SET
