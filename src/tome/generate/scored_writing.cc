#include "tome/generate/scored_writing.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "tome/base/error.h"
#include "tome/text/sentences.h"

namespace tome {
namespace {

double LogSumExp(const KernelSet& kernels, std::span<const float> logits) {
  return kernels.log_sum_exp({.x = logits.data(), .size = std::ssize(logits)});
}

// The logits of the next token, with evidence or without, and the logarithm of the sum of their
// exp.
struct NextLogits {
  std::span<const float> logits;
  double log_sum = 0;

  double LogProbability(TokenId token) const {
    return double{logits[static_cast<size_t>(token)]} - log_sum;
  }
};

NextLogits NextOf(const Session& session) {
  return {.logits = session.logits(), .log_sum = LogSumExp(session.kernels(), session.logits())};
}

// Writes the logits that contrast chooses by, of the first `usable` tokens, to `out`: minus
// infinity for tokens that are not plausible.
void ContrastLogits(const NextLogits& with, const NextLogits& without, size_t usable,
                    std::vector<float>& out) {
  const auto first = with.logits.first(usable);
  const double least = *std::max_element(first.begin(), first.end()) + std::log(kPlausible);
  out.assign(usable, -std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < usable; ++i) {
    if (double{first[i]} < least) continue;
    const auto token = static_cast<TokenId>(i);
    out[i] = static_cast<float>((1 + kContrast) * with.LogProbability(token) -
                                kContrast * without.LogProbability(token));
  }
}

// Returns whether a session, which may be null, has no room for another token.
bool IsFull(const Session* session) {
  return session != nullptr && session->memory().length() >= session->memory().max_tokens();
}

// Writes one text.
class ScoredWriter {
 public:
  ScoredWriter(const ScoredWriting& writing, const ScoredWritingOptions& options,
               const TextSink& sink)
      : writing_(writing),
        options_(options),
        sink_(sink),
        sampler_(writing.sampling),
        decoder_(writing.session->tokenizer(), StreamDecoder::Start::kText) {}

  bool ended() const { return ended_; }

  // Chooses the next token by the sessions' logits.
  void Choose() {
    const NextLogits with = NextOf(*writing_.session);
    const Tokenizer& tokenizer = writing_.session->tokenizer();
    // Rows after these pad the vocabulary.
    const size_t usable =
        std::min(with.logits.size(), static_cast<size_t>(tokenizer.vocabulary_size()));
    std::span<const float> chosen_by = with.logits.first(usable);
    NextLogits without;
    if (writing_.without != nullptr) {
      without = NextOf(*writing_.without);
      ContrastLogits(with, without, usable, contrasted_);
      chosen_by = contrasted_;
    }
    next_ = sampler_.Next(chosen_by, static_cast<int64_t>(usable), writing_.session->tokens());
    total_ += with.LogProbability(next_);
    if (writing_.without != nullptr) total_without_ += without.LogProbability(next_);
    ++chosen_;
    const auto ends = tokenizer.end_of_generation();
    if (std::binary_search(ends.begin(), ends.end(), next_)) return End(FinishReason::kEnd);
    result_.tokens.push_back(next_);
    const bool wanted = Emit(decoder_.Push(next_));
    if (!wanted) return End(FinishReason::kStop);
    if (writing_.most_sentences > 0 && CutBehindSentences()) return End(FinishReason::kStop);
    if (static_cast<int64_t>(result_.tokens.size()) >=
            std::min(options_.max_tokens, writing_.max_tokens) ||
        IsFull(writing_.session) || IsFull(writing_.without)) {
      End(FinishReason::kMaxTokens);
    }
  }

  // Adds the token chosen, which the next pass reads, for each of the text's sessions.
  void AddTo(std::vector<SessionReading>& readings) const {
    SessionReading reading{.session = writing_.session,
                           .tokens = {&next_, 1},
                           .tap = writing_.tap,
                           .origin = TokenOrigin::kWritten};
    readings.push_back(reading);
    if (writing_.without == nullptr) return;
    reading.session = writing_.without;
    reading.tap = nullptr;
    readings.push_back(reading);
  }

  ScoredText Result() { return std::move(result_); }

 private:
  void End(FinishReason reason) {
    // An incomplete character at the limit is dropped.
    if (reason == FinishReason::kEnd) Emit(decoder_.Flush());
    result_.finish = reason;
    result_.log_probability = total_ / static_cast<double>(chosen_);
    result_.log_probability_without = total_without_ / static_cast<double>(chosen_);
    ended_ = true;
  }

  // Returns whether the text has gone on after its last sentence; it is cut off there then.
  bool CutBehindSentences() {
    // The end of a line ends a sentence, so white space at the beginning of a text is skipped.
    const size_t begin = result_.text.find_first_not_of(" \n\r\t");
    if (begin == std::string::npos) return false;
    const std::vector<uint64_t> ends = splitter_.Ends(std::string_view(result_.text).substr(begin));
    const auto most = static_cast<size_t>(writing_.most_sentences);
    if (ends.size() <= most) return false;
    const std::string_view text = std::string_view(result_.text).substr(begin);
    const std::string_view whole = text.substr(0, ends[most - 1]);
    const std::string_view behind = text.substr(ends[most - 1]);
    // A full stop is known to end a sentence once a whole word follows it: "c. 1850 by".
    const size_t last = whole.find_last_not_of(' ');
    if (whole[last] == '.' && behind.find(' ') == std::string_view::npos) return false;
    result_.text.resize(begin + ends[most - 1]);
    return true;
  }

  bool Emit(const std::string& text) {
    result_.text += text;
    return text.empty() || !sink_ || sink_(text);
  }

  const ScoredWriting& writing_;
  const ScoredWritingOptions& options_;
  const TextSink& sink_;
  Sampler sampler_;
  StreamDecoder decoder_;
  SentenceSplitter splitter_;
  std::vector<float> contrasted_;
  TokenId next_ = 0;
  double total_ = 0;          // ln p of all tokens chosen
  double total_without_ = 0;  // the same without evidence
  int64_t chosen_ = 0;        // tokens, the one that ends the text included
  bool ended_ = false;
  ScoredText result_;
};

}  // namespace

std::vector<ScoredText> WriteScored(std::span<const ScoredWriting> writings,
                                    const ScoredWritingOptions& options, const TextSink& sink) {
  if (options.max_tokens < 1) {
    throw Error(Code::kInvalidArgument, "the number of new tokens must be at least 1");
  }
  const TextSink nowhere;
  std::deque<ScoredWriter> writers;
  for (const ScoredWriting& writing : writings) {
    writers.emplace_back(writing, options, writers.empty() ? sink : nowhere);
  }
  const WorkControl control{.stop = options.stop, .progress = {}};
  for (;;) {
    control.CheckStop();
    std::vector<SessionReading> readings;
    for (ScoredWriter& writer : writers) {
      if (writer.ended()) continue;
      writer.Choose();
      if (!writer.ended()) writer.AddTo(readings);
    }
    if (readings.empty()) break;
    PrefillTogether(readings, control);
  }
  std::vector<ScoredText> results;
  for (ScoredWriter& writer : writers) results.push_back(writer.Result());
  return results;
}

}  // namespace tome
