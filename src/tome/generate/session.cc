#include "tome/generate/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tome/base/error.h"
#include "tome/generate/prompt_lookup.h"
#include "tome/generate/stop_filter.h"

namespace tome {
namespace {

// Text on its way from tokens to the sink, and the reasons to end.
class Output {
 public:
  Output(const Tokenizer& tokenizer, const GenerateOptions& options, const TextSink& sink)
      : tokenizer_(tokenizer),
        options_(options),
        sink_(sink),
        decoder_(tokenizer),
        filter_(options.stops) {}

  // Takes a token; false when generation ends with it.
  bool Push(TokenId token) {
    const auto ends = tokenizer_.end_of_generation();
    if (std::binary_search(ends.begin(), ends.end(), token)) {
      generated.finish = FinishReason::kEnd;
      return false;
    }
    generated.tokens.push_back(token);
    const bool wanted = Emit(filter_.Push(decoder_.Push(token)));
    if (filter_.stopped() || !wanted) {
      generated.finish = FinishReason::kStop;
      return false;
    }
    if (static_cast<int64_t>(generated.tokens.size()) >= options_.max_tokens) {
      generated.finish = FinishReason::kMaxTokens;
      return false;
    }
    return true;
  }

  void Finish() {
    if (filter_.stopped()) return;
    Emit(filter_.Push(decoder_.Flush()));
    if (!filter_.stopped()) Emit(filter_.Flush());
  }

  Generated generated;

 private:
  bool Emit(const std::string& text) {
    if (text.empty()) return true;
    generated.text += text;
    return !sink_ || sink_(text);
  }

  const Tokenizer& tokenizer_;
  const GenerateOptions& options_;
  const TextSink& sink_;
  StreamDecoder decoder_;
  StopFilter filter_;
};

}  // namespace

Session::Session(const Model& model, const Tokenizer& tokenizer, const Compute& compute,
                 Memory memory)
    : model_(model), tokenizer_(tokenizer), compute_(compute), memory_(std::move(memory)) {}

void Session::Read(std::span<const TokenId> tokens) {
  const BatchItem item{.memory = &memory_, .tokens = tokens, .logits = LogitsOf::kLast};
  logits_ = model_.Forward({&item, 1}, compute_);
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

void Session::UseStore(SnapshotStore& store, SnapshotOwner owner) {
  store_ = &store;
  owner_ = std::move(owner);
}

size_t Session::Restore(std::span<const TokenId> tokens) {
  if (store_ == nullptr || !tokens_.empty() || tokens.empty()) return 0;
  // At least one token is read: its logits choose the next.
  restored_ = store_->Restore(owner_, tokens.first(tokens.size() - 1), memory_, compute_.threads);
  const auto count = static_cast<size_t>(restored_);
  tokens_.assign(tokens.begin(), tokens.begin() + restored_);
  return count;
}

void Session::Keep(bool tail) {
  if (store_ != nullptr) store_->Keep(owner_, tokens_, memory_, tail);
}

void Session::Prefill(std::span<const TokenId> tokens, const WorkControl& control) {
  const size_t total = tokens.size();
  const size_t restored = Restore(tokens);
  control.Report("reading", restored, total);
  for (size_t begin = restored; begin < total; begin += kPrefillChunk) {
    if (control.stop.stop_requested()) {
      Keep(true);
      control.CheckStop();
    }
    const size_t count = std::min(total - begin, static_cast<size_t>(kPrefillChunk));
    const int64_t whole = memory_.length() / kSnapshotTokens;
    if (begin + count == total) {
      Read(tokens.subspan(begin, count));
    } else {
      const BatchItem item{
          .memory = &memory_, .tokens = tokens.subspan(begin, count), .logits = LogitsOf::kNone};
      model_.Forward({&item, 1}, compute_);
      tokens_.insert(tokens_.end(), item.tokens.begin(), item.tokens.end());
      if (memory_.length() / kSnapshotTokens > whole) Keep(false);
    }
    control.Report("reading", begin + count, total);
  }
  Keep(true);
}

void Session::Truncate(int64_t length) {
  memory_.Truncate(length);
  tokens_.resize(static_cast<size_t>(length));
}

Generated Session::Generate(const GenerateOptions& options, const TextSink& sink) {
  TOME_CHECK(!tokens_.empty() && logits_.shape().rank() == 2);
  if (options.max_tokens < 1) {
    throw Error(Code::kInvalidArgument, "the number of new tokens must be at least 1");
  }
  const auto start = std::chrono::steady_clock::now();
  Sampler sampler(options.sampling);
  PromptLookup lookup(kLookupNgram, kLookupDraft);
  const bool drafts =
      options.speculation == Speculation::kPromptLookup && options.sampling.greedy();
  const int64_t usable = std::min(model_.facts().vocabulary, tokenizer_.vocabulary_size());
  Output output(tokenizer_, options, sink);
  Generated& generated = output.generated;

  TokenId next = sampler.Next(logits(), usable, tokens_);
  bool more = output.Push(next);
  while (more) {
    if (options.stop.stop_requested()) {
      generated.finish = FinishReason::kCancelled;
      break;
    }
    const int64_t room = memory_.max_tokens() - memory_.length();
    if (room < 1) {
      generated.finish = FinishReason::kMaxTokens;
      break;
    }
    // One pass over the token chosen and the draft of what may follow it; then as much of the draft
    // is kept as the model would have chosen itself.
    const int64_t before = memory_.length();
    tokens_.push_back(next);
    std::vector<TokenId> pass{next};
    if (drafts) {
      const std::vector<TokenId> draft = lookup.Draft(tokens_);
      const auto count = std::min<int64_t>(static_cast<int64_t>(draft.size()), room - 1);
      pass.insert(pass.end(), draft.begin(), draft.begin() + count);
    }
    const BatchItem item{.memory = &memory_, .tokens = pass, .logits = LogitsOf::kAll};
    Tensor rows = model_.Forward({&item, 1}, compute_);
    ++generated.forward_passes;
    generated.drafted_tokens += static_cast<int64_t>(pass.size()) - 1;
    const auto vocabulary = static_cast<size_t>(rows.shape()[1]);
    size_t kept = 1;
    for (;; ++kept) {
      const auto row =
          std::span<const float>(rows.floats()).subspan((kept - 1) * vocabulary, vocabulary);
      next = sampler.Next(row, usable, tokens_);
      more = output.Push(next);
      const bool agrees = kept < pass.size() && pass[kept] == next;
      if (!more || !agrees) {
        logits_ = Tensor(DType::kF32, {1, static_cast<int64_t>(vocabulary)});
        std::copy(row.begin(), row.end(), logits_.floats().begin());
        break;
      }
      tokens_.push_back(next);
    }
    generated.accepted_tokens += static_cast<int64_t>(kept) - 1;
    memory_.Truncate(before + static_cast<int64_t>(kept));
  }
  output.Finish();
  generated.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::move(generated);
}

}  // namespace tome
