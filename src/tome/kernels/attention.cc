#include "tome/kernels/attention.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "tome/kernels/generic/kv_element.h"

namespace tome {
namespace {

// A sequence with at most this many new tokens and (token, part) pairs is cut by parts.
constexpr int64_t kSplitTokens = 64;
constexpr int64_t kSplitPartials = 4096;

int64_t LastPosition(const AttentionSequence& sequence) {
  return sequence.first_position + sequence.tokens - 1;
}

bool IsSplit(const AttentionSequence& sequence) {
  const int64_t parts = LastPosition(sequence) / kKvPartTokens + 1;
  return sequence.tokens == 1 ||
         (sequence.tokens <= kSplitTokens && sequence.tokens * parts <= kSplitPartials);
}

// Returns the pages of a part as a sequence holds them. Sequences with equal lists can read these
// pages together.
std::vector<const std::byte*> PagesOf(const AttentionSequence& sequence, int64_t part) {
  const int64_t end =
      std::min((part + 1) * kKvPartPages, LastPosition(sequence) / kKvPageTokens + 1);
  std::vector<const std::byte*> both;
  for (int64_t page = part * kKvPartPages; page < end; ++page) {
    both.push_back(sequence.kv.Keys(page));
    both.push_back(sequence.kv.Values(page));
  }
  return both;
}

class Planner {
 public:
  explicit Planner(const AttentionArgs& args)
      : args_(args),
        block_rows_(std::max<int64_t>(1, AttentionBlockQueries(args.head_size) /
                                             HeadsTogether(args.heads / args.kv_heads))) {}

  AttentionPlan Make() {
    for (size_t s = 0; s < args_.sequences.size(); ++s) {
      const AttentionSequence& sequence = args_.sequences[s];
      if (sequence.tokens == 0) continue;
      if (IsSplit(sequence)) {
        AddSplit(static_cast<int32_t>(s));
      } else {
        AddWhole(static_cast<int32_t>(s));
      }
    }
    for (const auto& [key, members] : shared_) {
      AddBlocks(members, {.part_begin = key.first, .part_end = key.first + 1, .split = true});
    }
    std::stable_sort(plan_.blocks.begin(), plan_.blocks.end(), [](const auto& a, const auto& b) {
      const auto cost = [](const AttentionPlan::Block& block) {
        return (block.member_end - block.member_begin) * (block.part_end - block.part_begin);
      };
      return cost(a) > cost(b);
    });
    return std::move(plan_);
  }

 private:
  int64_t FirstPart(int64_t position) const {
    return FirstSeen(position, args_.window) / kKvPartTokens;
  }

  void AddSplit(int32_t index) {
    const AttentionSequence& sequence = args_.sequences[static_cast<size_t>(index)];
    for (int64_t t = 0; t < sequence.tokens; ++t) {
      const int64_t position = sequence.first_position + t;
      const auto row = static_cast<int32_t>(plan_.rows.size());
      const std::vector<int64_t> parts = PartsOf(sequence, position);
      plan_.rows.push_back({.sequence = index,
                            .token = static_cast<int32_t>(t),
                            .partials = plan_.partials,
                            .parts = static_cast<int64_t>(parts.size())});
      plan_.merged.push_back(row);
      for (const int64_t part : parts) {
        const AttentionPlan::Member member{.row = row, .partial = plan_.partials++};
        if (sequence.chosen != nullptr) {
          AddBlocks({member}, {.part_begin = part, .part_end = part + 1, .split = true});
        } else {
          shared_[{part, PagesOf(sequence, part)}].push_back(member);
        }
      }
    }
  }

  // Returns the parts that the token at a position sees. With chosen pages, it returns the parts
  // that contain some of them.
  std::vector<int64_t> PartsOf(const AttentionSequence& sequence, int64_t position) const {
    std::vector<int64_t> parts;
    if (sequence.chosen != nullptr) {
      for (int64_t head = 0; head < args_.kv_heads; ++head) {
        for (const int32_t page : ChosenFor(sequence, position, head, args_.kv_heads)) {
          const int64_t part = page / kKvPartPages;
          if (parts.empty() || parts.back() != part) parts.push_back(part);
        }
      }
      std::sort(parts.begin(), parts.end());
      parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
      const auto seen = std::lower_bound(parts.begin(), parts.end(), FirstPart(position));
      parts.erase(parts.begin(), seen);
    } else {
      for (int64_t part = FirstPart(position); part <= position / kKvPartTokens; ++part) {
        parts.push_back(part);
      }
    }
    return parts;
  }

  void AddWhole(int32_t index) {
    const AttentionSequence& sequence = args_.sequences[static_cast<size_t>(index)];
    for (int64_t begin = 0, end = 0; begin < sequence.tokens; begin = end) {
      end = std::min(sequence.tokens, begin + block_rows_);
      if (sequence.chosen != nullptr) {
        const int64_t run = sequence.chosen->run_tokens;
        const int64_t position = sequence.first_position + begin;
        end = std::min(end, begin + run - position % run);
      }
      std::vector<AttentionPlan::Member> members;
      for (int64_t t = begin; t < end; ++t) {
        members.push_back({.row = static_cast<int32_t>(plan_.rows.size())});
        plan_.rows.push_back({.sequence = index, .token = static_cast<int32_t>(t)});
      }
      AddBlocks(members, {.part_begin = FirstPart(sequence.first_position + begin),
                          .part_end = (sequence.first_position + end - 1) / kKvPartTokens + 1});
    }
  }

  // Adds the members in blocks that are otherwise like `block`.
  void AddBlocks(const std::vector<AttentionPlan::Member>& members, AttentionPlan::Block block) {
    const auto count = static_cast<int64_t>(members.size());
    for (int64_t begin = 0; begin < count; begin += block_rows_) {
      const int64_t end = std::min(count, begin + block_rows_);
      block.member_begin = static_cast<int64_t>(plan_.members.size());
      plan_.members.insert(plan_.members.end(), members.begin() + begin, members.begin() + end);
      block.member_end = static_cast<int64_t>(plan_.members.size());
      plan_.blocks.push_back(block);
    }
  }

  const AttentionArgs& args_;
  int64_t block_rows_;
  AttentionPlan plan_;
  std::map<std::pair<int64_t, std::vector<const std::byte*>>, std::vector<AttentionPlan::Member>>
      shared_;
};

}  // namespace

std::string_view NameOf(KvType type) {
  switch (type) {
    case KvType::kF32:
      return "f32";
    case KvType::kF16:
      return "f16";
    case KvType::kBF16:
      return "bf16";
    case KvType::kQ8:
      return "q8";
    case KvType::kQ4:
      break;
  }
  return "q4";
}

std::optional<KvType> KvTypeFromName(std::string_view name) {
  for (const KvType type : kKvTypes) {
    if (NameOf(type) == name) return type;
  }
  return std::nullopt;
}

QueriesOfPage QueriesFor(const AttentionSequence& sequence, int64_t page) {
  QueriesOfPage queries{.q = sequence.q};
  for (const QueryRange& range : sequence.ranges) {
    if (range.first_page > page) {
      queries.end = range.first_page;
      break;
    }
    queries.q = range.q;
  }
  return queries;
}

std::span<const int32_t> ChosenFor(const AttentionSequence& sequence, int64_t position,
                                   int64_t kv_head, int64_t kv_heads) {
  const int64_t tokens = sequence.chosen->run_tokens;
  const int64_t run = position / tokens - sequence.chosen->first_position / tokens;
  return sequence.chosen->lists[static_cast<size_t>(run * kv_heads + kv_head)];
}

AttentionPlan PlanAttention(const AttentionArgs& args) { return Planner(args).Make(); }

int64_t AttentionScratchBytes(const AttentionArgs& args, const AttentionPlan& plan) {
  return plan.partials * args.heads * AttentionPartialFloats(args.head_size) *
         static_cast<int64_t>(sizeof(float));
}

void ClearKvSlots(KvType type, int64_t kv_heads, int64_t head_size, KvSide side, int64_t first,
                  std::byte* page) {
  const int64_t padded = KvPaddedHead(head_size);
  const int64_t element = type == KvType::kF32 ? 4 : 2;  // bytes
  const bool scaled = type == KvType::kQ8 || type == KvType::kQ4;
  for (int64_t head = 0; head < kv_heads; ++head, page += KvSliceBytes(type, head_size)) {
    for (int64_t slot = first; slot < kKvPageTokens; ++slot) {
      for (int64_t channel = 0; channel < padded; ++channel) {
        const int64_t index = side == KvSide::kKeys ? KeyElement(type, slot, channel)
                                                    : ValueElement(type, head_size, slot, channel);
        if (scaled) {
          generic::WriteKvInteger(type, page, index, 0);
        } else {
          std::memset(page + index * element, 0, static_cast<size_t>(element));
        }
      }
      if (!scaled) continue;
      std::byte* const scales = page + KvElementBytes(type, head_size);
      for (int64_t block = 0; block * kKvScaleDims < head_size; ++block) {
        std::memset(scales + (block * kKvPageTokens + slot) * 2, 0, 2);
      }
    }
  }
}

}  // namespace tome
