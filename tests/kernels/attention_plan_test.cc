// Tests how attention is cut into blocks, without arithmetic: page addresses are never read.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tome/kernels/attention.h"

namespace tome {
namespace {

constexpr int64_t kPagesPerPart = kKvPartTokens / kKvPageTokens;

class Plan {
 public:
  Plan(int64_t heads, int64_t kv_heads, int64_t head_size, int64_t window) {
    args_.heads = heads;
    args_.kv_heads = kv_heads;
    args_.head_size = head_size;
    args_.window = window;
  }

  // Adds a sequence of new pages, except that the whole pages of its first `shared` positions are
  // those of the sequence `like`.
  size_t Add(int64_t first, int64_t tokens, size_t like = 0, int64_t shared = 0) {
    std::vector<const std::byte*> pages;
    for (int64_t page = 0; page * kKvPageTokens < first + tokens; ++page) {
      const bool same = (page + 1) * kKvPageTokens <= shared;
      pages.push_back(same ? pages_[like][static_cast<size_t>(page)] : NewPage());
    }
    pages_.push_back(std::move(pages));
    spans_.emplace_back(first, tokens);
    return pages_.size() - 1;
  }

  AttentionPlan Make() {
    sequences_.clear();
    for (size_t i = 0; i < pages_.size(); ++i) {
      sequences_.push_back({.kv = {.keys = pages_[i], .values = pages_[i]},
                            .tokens = spans_[i].second,
                            .first_position = spans_[i].first,
                            .ranges = {}});
    }
    args_.sequences = sequences_;
    return PlanAttention(args_);
  }

  int64_t Position(const AttentionPlan::Row& row) const {
    return spans_[static_cast<size_t>(row.sequence)].first + row.token;
  }
  int64_t FirstPart(const AttentionPlan::Row& row) const {
    return FirstSeen(Position(row), args_.window) / kKvPartTokens;
  }
  int64_t LastPart(const AttentionPlan::Row& row) const { return Position(row) / kKvPartTokens; }

  std::vector<const std::byte*> PagesOf(int32_t sequence, int64_t part) const {
    const auto& pages = pages_[static_cast<size_t>(sequence)];
    const auto count = static_cast<int64_t>(pages.size());
    return {pages.begin() + std::min(count, part * kPagesPerPart),
            pages.begin() + std::min(count, (part + 1) * kPagesPerPart)};
  }

  int64_t BlockRows() const {
    const int64_t together = HeadsTogether(args_.heads / args_.kv_heads);
    return std::max<int64_t>(1, AttentionBlockQueries(args_.head_size) / together);
  }

  const AttentionArgs& args() const { return args_; }
  const std::vector<std::pair<int64_t, int64_t>>& spans() const { return spans_; }

 private:
  const std::byte* NewPage() { return memory_.data() + next_++; }

  std::vector<std::byte> memory_ = std::vector<std::byte>(1 << 16);
  size_t next_ = 0;
  AttentionArgs args_;
  std::vector<std::vector<const std::byte*>> pages_;
  std::vector<std::pair<int64_t, int64_t>> spans_;  // first position, tokens
  std::vector<AttentionSequence> sequences_;
};

// Checks the promises that hold for every plan.
void ExpectSound(Plan& plan) {
  const AttentionPlan made = plan.Make();
  // Each token is one row.
  std::set<std::pair<int32_t, int32_t>> tokens;
  for (const AttentionPlan::Row& row : made.rows) {
    EXPECT_TRUE(tokens.emplace(row.sequence, row.token).second);
    EXPECT_LT(row.token, plan.spans()[static_cast<size_t>(row.sequence)].second);
  }
  int64_t all = 0;
  for (const auto& span : plan.spans()) all += span.second;
  EXPECT_EQ(static_cast<int64_t>(tokens.size()), all);

  std::vector<std::multiset<int64_t>> parts(made.rows.size());
  std::map<std::pair<int64_t, std::vector<const std::byte*>>, int64_t> rows_of_pages;
  std::map<std::pair<int64_t, std::vector<const std::byte*>>, int64_t> blocks_of_pages;
  int64_t last_cost = INT64_MAX;
  for (const AttentionPlan::Block& block : made.blocks) {
    ASSERT_LT(block.member_begin, block.member_end);
    ASSERT_LE(block.member_end, static_cast<int64_t>(made.members.size()));
    ASSERT_LT(block.part_begin, block.part_end);
    EXPECT_LE(block.member_end - block.member_begin, plan.BlockRows());
    const int64_t cost =
        (block.member_end - block.member_begin) * (block.part_end - block.part_begin);
    EXPECT_LE(cost, last_cost) << "the costliest first";
    last_cost = cost;
    if (block.split) {
      EXPECT_EQ(block.part_end, block.part_begin + 1);
    }
    const auto member_at = [&](int64_t i) { return made.members.at(static_cast<size_t>(i)); };
    const auto row_of = [&](const AttentionPlan::Member& member) {
      return made.rows.at(static_cast<size_t>(member.row));
    };
    const AttentionPlan::Row first = row_of(member_at(block.member_begin));
    for (int64_t i = block.member_begin; i < block.member_end; ++i) {
      const AttentionPlan::Member member = member_at(i);
      const int32_t index = member.row;
      const AttentionPlan::Row row = row_of(member);
      EXPECT_EQ(row.partials >= 0, block.split);
      if (block.split) {
        EXPECT_EQ(member.partial, row.partials + block.part_begin - plan.FirstPart(row));
      }
      for (int64_t part = block.part_begin; part < block.part_end; ++part) {
        parts[static_cast<size_t>(index)].insert(part);
        EXPECT_TRUE(plan.PagesOf(row.sequence, part) == plan.PagesOf(first.sequence, part))
            << "rows of different pages in one block";
      }
      if (block.split) {
        ++rows_of_pages[{block.part_begin, plan.PagesOf(row.sequence, block.part_begin)}];
      }
    }
    if (block.split) {
      ++blocks_of_pages[{block.part_begin, plan.PagesOf(first.sequence, block.part_begin)}];
    }
  }
  // The same pages are read by as few blocks as can hold their rows, so that each of these blocks
  // brings the pages into the caches once.
  for (const auto& [pages, rows] : rows_of_pages) {
    EXPECT_EQ(blocks_of_pages[pages], (rows + plan.BlockRows() - 1) / plan.BlockRows())
        << rows << " rows of part " << pages.first;
  }

  // Each row meets each part that it sees exactly once. A split row meets no other part.
  std::set<int32_t> merged(made.merged.begin(), made.merged.end());
  EXPECT_EQ(merged.size(), made.merged.size());
  std::set<int64_t> partials;
  for (size_t i = 0; i < made.rows.size(); ++i) {
    const AttentionPlan::Row& row = made.rows[i];
    const int64_t from = plan.FirstPart(row);
    const int64_t to = plan.LastPart(row);
    for (const int64_t part : parts[i]) EXPECT_EQ(parts[i].count(part), 1U) << part;
    for (int64_t part = from; part <= to; ++part) EXPECT_EQ(parts[i].count(part), 1U) << part;
    EXPECT_EQ(merged.count(static_cast<int32_t>(i)), row.partials >= 0 ? 1U : 0U);
    if (row.partials < 0) continue;
    EXPECT_EQ(static_cast<int64_t>(parts[i].size()), to - from + 1);
    EXPECT_EQ(row.parts, to - from + 1);
    for (int64_t part = from; part <= to; ++part) {
      EXPECT_TRUE(partials.insert(row.partials + part - from).second) << "results overlap";
    }
  }
  EXPECT_EQ(static_cast<int64_t>(partials.size()), made.partials);
  if (!partials.empty()) {
    EXPECT_EQ(*partials.rbegin(), made.partials - 1);
  }
  EXPECT_GE(AttentionScratchBytes(plan.args(), made),
            made.partials * plan.args().heads * AttentionPartialFloats(plan.args().head_size) *
                static_cast<int64_t>(sizeof(float)));
}

std::string Name(int64_t first, int64_t tokens, int64_t window) {
  return std::to_string(tokens) + " tokens behind " + std::to_string(first) + ", window " +
         std::to_string(window);
}

TEST(AttentionPlanTest, OneSequenceOfAnyLength) {
  for (const int64_t first : {0, 1, 63, 1000, 1023, 1024, 1025, 5000}) {
    for (const int64_t tokens : {1, 2, 40, 64, 65, 200, 1024, 1500}) {
      for (const int64_t window : {0, 1, 100, 1024, 1500}) {
        for (const auto& [heads, kv_heads] : {std::pair<int64_t, int64_t>{8, 2}, {40, 1}}) {
          SCOPED_TRACE(Name(first, tokens, window));
          Plan plan(heads, kv_heads, 128, window);
          plan.Add(first, tokens);
          ExpectSound(plan);
        }
      }
    }
  }
}

TEST(AttentionPlanTest, ManyNewTokensAreCutByRowsAndFewByParts) {
  Plan plan(8, 2, 128, 0);
  plan.Add(3000, 200);
  EXPECT_TRUE(plan.Make().merged.empty());
  EXPECT_EQ(plan.Make().partials, 0);
  Plan few(8, 2, 128, 0);
  few.Add(3000, 4);
  const AttentionPlan made = few.Make();
  EXPECT_EQ(made.merged.size(), 4U);
  EXPECT_EQ(made.blocks.size(), 3U);  // one a part, each of all four rows
  EXPECT_EQ(made.partials, 12);
}

TEST(AttentionPlanTest, ForksReadWhatTheyShareOnce) {
  // Eight forks have 3000 tokens in common and one new token each. They share two whole parts; each
  // fork has its own last page in the third.
  Plan plan(8, 2, 128, 0);
  plan.Add(3000, 1);
  for (int fork = 0; fork < 7; ++fork) plan.Add(3000, 1, 0, 3000);
  ExpectSound(plan);
  const AttentionPlan made = plan.Make();
  EXPECT_EQ(made.blocks.size(), 2U + 8U);
  EXPECT_EQ(made.blocks[0].member_end - made.blocks[0].member_begin, 8);
  EXPECT_EQ(made.blocks[1].member_end - made.blocks[1].member_begin, 8);
}

TEST(AttentionPlanTest, BatchesOfForksAndOthersOfAnyLength) {
  for (const int64_t window : {0, 700, 3000}) {
    for (const auto& [heads, kv_heads, size] :
         {std::tuple<int64_t, int64_t, int64_t>{8, 8, 64}, {8, 1, 256}, {40, 1, 512}}) {
      SCOPED_TRACE(window);
      Plan plan(heads, kv_heads, size, window);
      const size_t trunk = plan.Add(4000, 1);
      plan.Add(4000, 5, trunk, 4000);
      plan.Add(4100, 64, trunk, 3968);
      plan.Add(2048, 1, trunk, 2048);
      plan.Add(2048, 1000, trunk, 2048);
      plan.Add(1500, 3, trunk, 1472);
      plan.Add(0, 300);
      plan.Add(0, 1);
      plan.Add(9000, 1);
      // These are forks of a fork.
      const size_t branch = plan.Add(3500, 2, trunk, 2048);
      plan.Add(3502, 1, branch, 3502);
      plan.Add(3502, 90, branch, 3502);
      plan.Add(0, 0);
      ExpectSound(plan);
    }
  }
}

TEST(AttentionPlanTest, ManyForksFillBlocks) {
  Plan plan(8, 1, 128, 0);
  plan.Add(2048, 1);
  for (int fork = 0; fork < 99; ++fork) plan.Add(2048, 1 + fork % 3, 0, 2048);
  ExpectSound(plan);
}

TEST(AttentionPlanTest, NothingToDoMakesAnEmptyPlan) {
  Plan plan(8, 2, 128, 0);
  ExpectSound(plan);
  plan.Add(100, 0);
  ExpectSound(plan);
  EXPECT_TRUE(plan.Make().blocks.empty());
  EXPECT_EQ(AttentionScratchBytes(plan.args(), plan.Make()), 0);
}

TEST(KvTypeTest, NamesGoBothWays) {
  for (const KvType type : kKvTypes) EXPECT_EQ(KvTypeFromName(NameOf(type)), type);
  for (const char* name : {"", "F16", "q8_0", "f8"}) EXPECT_EQ(KvTypeFromName(name), std::nullopt);
}

// Every element and scale of a page has a place of its own, and together they fill the page.
TEST(KvLayoutTest, ElementsFillTheSlice) {
  for (const KvType type : kKvTypes) {
    for (const int64_t size : {1, 7, 32, 33, 100, 128}) {
      const int64_t padded = KvPaddedHead(size);
      std::set<int64_t> keys;
      std::set<int64_t> values;
      for (int64_t slot = 0; slot < kKvPageTokens; ++slot) {
        for (int64_t channel = 0; channel < padded; ++channel) {
          keys.insert(KeyElement(type, slot, channel));
          values.insert(ValueElement(type, size, slot, channel));
        }
      }
      for (const std::set<int64_t>& places : {keys, values}) {
        EXPECT_EQ(static_cast<int64_t>(places.size()), padded * kKvPageTokens);
        EXPECT_EQ(*places.begin(), 0);
        EXPECT_EQ(*places.rbegin(), padded * kKvPageTokens - 1);
      }
      const int64_t bits = type == KvType::kF32  ? 32
                           : type == KvType::kQ8 ? 8
                           : type == KvType::kQ4 ? 4
                                                 : 16;
      EXPECT_EQ(KvElementBytes(type, size), padded * kKvPageTokens * bits / 8);
      const int64_t scales = type == KvType::kQ8 || type == KvType::kQ4
                                 ? (size + kKvScaleDims - 1) / kKvScaleDims * kKvPageTokens * 2
                                 : 0;
      EXPECT_EQ(KvSliceBytes(type, size), KvElementBytes(type, size) + scales);
      EXPECT_EQ(KvPageBytes(type, 3, size), 3 * KvSliceBytes(type, size));
    }
  }
}

TEST(AttentionPlanTest, ATokenThatChosePagesMeetsThePartsThatHaveSome) {
  const int64_t position = 100 * kKvPartTokens + 5;
  const auto own = static_cast<int32_t>(position / kKvPageTokens);
  // Each of two key heads has a list.
  const ChosenPages chosen{.first_position = position, .lists = {{0, 40, 41, own}, {0, 999, own}}};
  const std::vector<const std::byte*> pages(static_cast<size_t>(own) + 1);
  const AttentionSequence sequence{.kv = {.keys = pages, .values = pages},
                                   .tokens = 1,
                                   .first_position = position,
                                   .chosen = &chosen,
                                   .ranges = {}};
  const AttentionPlan made =
      PlanAttention({.sequences = {&sequence, 1}, .heads = 4, .kv_heads = 2, .head_size = 64});
  ASSERT_EQ(made.rows.size(), 1U);
  EXPECT_EQ(made.rows[0].parts, 4);
  EXPECT_EQ(made.partials, 4);
  std::map<int64_t, int64_t> parts;  // by partial result
  for (const AttentionPlan::Block& block : made.blocks) {
    EXPECT_TRUE(block.split);
    ASSERT_EQ(block.member_end - block.member_begin, 1);
    parts[made.members[static_cast<size_t>(block.member_begin)].partial] = block.part_begin;
  }
  const std::map<int64_t, int64_t> expected{{0, 0}, {1, 2}, {2, 62}, {3, 100}};
  EXPECT_EQ(parts, expected);
}

}  // namespace
}  // namespace tome
