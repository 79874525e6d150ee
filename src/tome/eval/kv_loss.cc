#include "tome/eval/kv_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tome/base/error.h"
#include "tome/generate/session.h"

namespace tome {
namespace {

using Row = std::span<const float>;

// Limit of the logits of all memories in one pass.
constexpr int64_t kMostLogitBytes = int64_t{256} << 20;

double LogSumExp(Row logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(double{x} - largest);
  return largest + std::log(sum);
}

double Divergence(Row exact, double exact_log_sum, Row other, double other_log_sum) {
  double sum = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double log_p = double{exact[i]} - exact_log_sum;
    const double p = std::exp(log_p);
    // Where p is 0 the term is 0, whatever the other logit is.
    if (p > 0) sum += p * (log_p - (double{other[i]} - other_log_sum));
  }
  return std::isnan(sum) ? sum : std::max(sum, 0.0);
}

auto LikeliestOf(Row logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

// The measurements of one memory, token by token.
struct Trace {
  std::vector<double> kl;
  std::vector<double> log_likelihood;  // of the next token; 0 for the last token
  std::vector<char> same_top;

  explicit Trace(size_t tokens) : kl(tokens), log_likelihood(tokens), same_top(tokens) {}
};

// Compares the rows of one pass, [memories][tokens][vocabulary], with those of the first memory,
// which is exact. `begin` is the position of the pass's first token.
void Compare(const Tensor& logits, size_t begin, std::span<const TokenId> tokens,
             std::span<Trace> traces, const Compute& compute) {
  const auto width = static_cast<size_t>(logits.shape()[1]);
  const size_t count = static_cast<size_t>(logits.shape()[0]) / traces.size();
  const Row all = logits.floats();
  compute.threads.ParallelFor(static_cast<int64_t>(count), [&](int64_t task, int) {
    const auto t = static_cast<size_t>(task);
    const Row exact = all.subspan(t * width, width);
    const double exact_log_sum = LogSumExp(exact);
    for (size_t m = 0; m < traces.size(); ++m) {
      const Row other = all.subspan((m * count + t) * width, width);
      const double log_sum = LogSumExp(other);
      traces[m].kl[begin + t] = Divergence(exact, exact_log_sum, other, log_sum);
      traces[m].same_top[begin + t] = LikeliestOf(exact) == LikeliestOf(other) ? 1 : 0;
      if (begin + t + 1 == tokens.size()) continue;
      const auto next = static_cast<size_t>(tokens[begin + t + 1]);
      traces[m].log_likelihood[begin + t] = double{other[next]} - log_sum;
    }
  });
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

double Perplexity(const Trace& trace) {
  return std::exp(-Sum(trace.log_likelihood) /
                  static_cast<double>(trace.log_likelihood.size() - 1));
}

// Drops the first `count` tokens.
template <typename T>
void Drop(std::vector<T>& values, int64_t count) {
  values.erase(values.begin(), values.begin() + count);
}
void Drop(Trace& trace, int64_t count) {
  Drop(trace.kl, count);
  Drop(trace.log_likelihood, count);
  Drop(trace.same_top, count);
}

KvLoss LossOf(const Trace& trace, const Trace& exact, const Memory& memory) {
  const size_t count = trace.kl.size();
  const auto tokens = static_cast<int64_t>(count);
  std::vector<double> sorted = trace.kl;
  std::sort(sorted.begin(), sorted.end());
  const double total = Sum(trace.kl);
  if (!std::isfinite(total)) {
    throw Error(Code::kCorrupt, fmt::format("logits with keys and values in {} are no numbers, so "
                                            "that nothing can be compared; check the model's file",
                                            NameOf(memory.kv().type())));
  }
  return {
      .kv = memory.kv().type(),
      .tokens = tokens,
      .mean_kl = total / static_cast<double>(count),
      .p99_kl = sorted[(99 * count + 99) / 100 - 1],
      .largest_kl = sorted.back(),
      .perplexity = Perplexity(trace),
      .exact_perplexity = Perplexity(exact),
      .same_top = static_cast<double>(std::count(trace.same_top.begin(), trace.same_top.end(), 1)) /
                  static_cast<double>(count),
      .bytes_per_token =
          static_cast<double>(KvBytes(memory.kv().shape(), memory.kv().type(), kKvPageTokens)) /
          static_cast<double>(kKvPageTokens)};
}

}  // namespace

double KlDivergence(std::span<const float> exact, std::span<const float> other) {
  TOME_CHECK(!exact.empty() && exact.size() == other.size());
  return Divergence(exact, LogSumExp(exact), other, LogSumExp(other));
}

KvLosses MeasureKvLoss(const Model& model, const Compute& compute, std::span<const TokenId> tokens,
                       std::span<const KvType> types, const WorkControl& control) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (count < kLeastLossTokens) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} tokens are too few to measure a loss; name a text of {} or more",
                            count, kLeastLossTokens));
  }
  const ModelFacts& facts = model.facts();
  if (!facts.has_attention()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("models of the architecture {} keep no keys and values: there is "
                            "nothing to lose",
                            facts.architecture));
  }
  std::vector<KvType> all{facts.kv_type};
  all.insert(all.end(), types.begin(), types.end());
  std::vector<Memory> memories;
  for (const KvType type : all) {
    memories.push_back(
        model.NewMemory({.kv = type, .max_tokens = std::max(count, facts.trained_tokens)}));
  }
  const auto rows = static_cast<int64_t>(memories.size());
  const int64_t pass =
      std::clamp<int64_t>(kMostLogitBytes / (4 * facts.vocabulary * rows), 1, kPrefillChunk);
  std::vector<Trace> traces(memories.size(), Trace(tokens.size()));
  for (int64_t begin = 0; begin < count; begin += pass) {
    control.CheckStop();
    const auto at = static_cast<size_t>(begin);
    const auto read = tokens.subspan(at, static_cast<size_t>(std::min(pass, count - begin)));
    std::vector<BatchItem> batch;
    for (Memory& memory : memories) {
      batch.push_back({.memory = &memory, .tokens = read, .logits = LogitsOf::kAll});
    }
    Compare(model.Forward(batch, compute), at, tokens, traces, compute);
    control.Report("measuring", static_cast<uint64_t>(at + read.size()),
                   static_cast<uint64_t>(count));
  }
  for (Trace& trace : traces) Drop(trace, kKvPartTokens);
  KvLosses result;
  for (size_t m = 0; m < memories.size(); ++m) {
    const KvLoss loss = LossOf(traces[m], traces[0], memories[m]);
    if (m == 0) {
      result.exact = loss;
    } else {
      result.losses.push_back(loss);
    }
  }
  return result;
}

}  // namespace tome
