#include "tome/kernels/page_choice.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tome/kernels/kernel_set.h"
#include "tome/kernels/mass_bins.h"
#include "tome/kernels/page_search.h"
#include "tome/tensor/float16.h"

namespace tome {
namespace {

std::vector<ChoiceRun> RunsOf(const PageChoiceArgs& args, int64_t run_tokens) {
  std::vector<ChoiceRun> runs;
  for (int64_t begin = 0; begin < args.tokens;) {
    const int64_t position = args.first_position + begin;
    const int64_t end = std::min(args.tokens, begin + run_tokens - position % run_tokens);
    runs.push_back({.token_begin = begin,
                    .token_end = end,
                    .first_page = position / kKvPageTokens,
                    .last_page = (args.first_position + end - 1) / kKvPageTokens,
                    .single = run_tokens == 1});
    begin = end;
  }
  return runs;
}

struct ListChoice {
  std::vector<int32_t> pages;
  AttentionShare share;
};

ListChoice Choose(const PageChoiceArgs& args, const ChoiceRun& run, int64_t kv_head,
                  const KernelSet& kernels) {
  const auto group = static_cast<size_t>(args.heads / args.kv_heads);
  const int64_t tokens = run.token_end - run.token_begin;
  ListChoice choice;
  AttentionShare& share = choice.share;
  int64_t alone = 0;  // pages that each head would attend by its own choice, summed over heads
  if (run.first_page > kKvSinkPages + kRecentPages) {
    const bool in_parts = !args.part_summaries.empty() && run.single && args.mass < 1 &&
                          run.first_page / kKvPartPages >= kSearchedParts;
    const PageCandidates candidates =
        in_parts ? SearchParts(args, run, kv_head, kernels) : AllPages(args, run, kv_head, kernels);
    const size_t count = candidates.pages.size();
    std::vector<uint8_t> kept(count);
    for (size_t i = 0; i < count; ++i) kept[i] = run.Keeps(candidates.pages[i]) ? 1 : 0;
    std::vector<uint8_t> chosen = kept;
    std::vector<std::vector<uint8_t>> by_head(group, kept);
    std::vector<MassBins> bins;
    for (int64_t query = 0; query < candidates.queries; ++query) {
      const auto at = static_cast<size_t>(query);
      bins.emplace_back(candidates.ScoresOf(query));
      const double mass = std::min(1.0, args.mass / candidates.shares[at]);
      bins.back().Take(mass, chosen);
      bins.back().Take(mass, by_head[at % group]);
    }
    for (const std::vector<uint8_t>& head : by_head) {
      alone += std::count(head.begin(), head.end(), uint8_t{1});
    }
    for (size_t query = 0; query < bins.size(); ++query) {
      share.mass_sum += candidates.shares[query] * bins[query].MassOf(chosen);
    }
    share.queries = candidates.queries;
    share.scored_pages = candidates.scored_pages;
    share.scorable_pages = run.first_page;
    for (size_t i = 0; i < count; ++i) {
      if (chosen[i] != 0) choice.pages.push_back(candidates.pages[i]);
    }
  } else {
    for (int64_t page = 0; page < run.first_page; ++page) {
      choice.pages.push_back(static_cast<int32_t>(page));
    }
    alone = static_cast<int64_t>(group) * run.first_page;
  }
  for (int64_t page = run.first_page; page <= run.last_page; ++page) {
    choice.pages.push_back(static_cast<int32_t>(page));
  }
  const auto own = static_cast<double>(run.last_page + 1 - run.first_page);
  share.attended_pages = tokens * static_cast<int64_t>(choice.pages.size());
  share.alone_pages =
      static_cast<double>(tokens) * (static_cast<double>(alone) / static_cast<double>(group) + own);
  share.seen_pages = tokens * (run.last_page + 1);
  return choice;
}

}  // namespace

AttentionShare& AttentionShare::operator+=(const AttentionShare& other) {
  mass_sum += other.mass_sum;
  queries += other.queries;
  attended_pages += other.attended_pages;
  seen_pages += other.seen_pages;
  alone_pages += other.alone_pages;
  scored_pages += other.scored_pages;
  scorable_pages += other.scorable_pages;
  return *this;
}

void SummarizePart(const std::byte* pages, int64_t kv_heads, int64_t head_size, int64_t part,
                   std::byte* group) {
  const auto element = [head_size](int64_t head, int64_t channel, int64_t which, int64_t page) {
    return KeySummaryElement(head_size, head, channel, which, page) * 2;
  };
  const auto read = [&](int64_t at) {
    uint16_t half = 0;
    std::memcpy(&half, pages + at, 2);
    return FloatFromBF16(half);
  };
  const auto write = [&](int64_t at, float value) {
    const uint16_t half = BF16FromFloat(value);
    std::memcpy(group + at, &half, 2);
  };
  const auto take = [](float x, bool beyond, float& extreme) {
    if (beyond || std::isnan(x)) extreme = x;
  };
  for (int64_t head = 0; head < kv_heads; ++head) {
    for (int64_t c = 0; c < head_size; ++c) {
      float mean_a = 0;
      float mean_b = 0;
      float most = -std::numeric_limits<float>::infinity();
      float least = std::numeric_limits<float>::infinity();
      for (int64_t page = 0; page < kKvPartPages; ++page) {
        const float a = read(element(head, c, 0, page));
        const float b = read(element(head, c, 1, page));
        mean_a += a / static_cast<float>(kKvPartPages);
        mean_b += b / static_cast<float>(kKvPartPages);
        take(a + b, a + b > most, most);
        take(a - b, a - b < least, least);
      }
      write(element(head, c, 0, part), 0.5F * (mean_a + 0.5F * (most + least)));
      write(element(head, c, 1, part), 0.5F * (mean_b + 0.5F * (most - least)));
    }
  }
}

PageChoice ChoosePages(const PageChoiceArgs& args, const Compute& compute) {
  const int64_t pass_tokens = std::max(args.tokens, args.pass_tokens);
  const int64_t run_tokens = pass_tokens <= kChoiceSingleTokens ? 1 : kChoiceBlockTokens;
  const std::vector<ChoiceRun> runs = RunsOf(args, run_tokens);
  std::vector<ListChoice> lists(runs.size() * static_cast<size_t>(args.kv_heads));
  compute.threads.ParallelFor(static_cast<int64_t>(lists.size()), [&](int64_t task, int) {
    lists[static_cast<size_t>(task)] = Choose(args, runs[static_cast<size_t>(task / args.kv_heads)],
                                              task % args.kv_heads, compute.kernels);
  });
  PageChoice choice;
  choice.pages.first_position = args.first_position;
  choice.pages.run_tokens = run_tokens;
  choice.pages.lists.reserve(lists.size());
  for (ListChoice& list : lists) {
    choice.pages.lists.push_back(std::move(list.pages));
    choice.share += list.share;
  }
  return choice;
}

}  // namespace tome
