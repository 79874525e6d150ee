#include "tome/generate/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <utility>

#include "tome/base/error.h"
#include "tome/generate/prompt_lookup.h"
#include "tome/generate/stop_filter.h"
#include "tome/memory/state_positions.h"

namespace tome {
namespace {

// Takes text from tokens to the sink, and finds the reasons to end.
class Output {
 public:
  Output(const Tokenizer& tokenizer, const GenerateOptions& options, const TextSink& sink)
      : tokenizer_(tokenizer),
        options_(options),
        sink_(sink),
        decoder_(tokenizer),
        filter_(options.stops) {}

  // Takes a token. Returns false when generation ends with it.
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
    // An incomplete character is the model's own error only where the model ended there.
    if (generated.finish == FinishReason::kEnd) Emit(filter_.Push(decoder_.Flush()));
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

// Tokens of a pass that computes the logits of all of them: rows of a large vocabulary take memory.
constexpr size_t kScoredChunk = 128;

}  // namespace

double LogProbability(const KernelSet& kernels, std::span<const float> logits, TokenId token) {
  return double{logits[static_cast<size_t>(token)]} -
         kernels.log_sum_exp({.x = logits.data(), .size = std::ssize(logits)});
}

// Continues a session: gives the tokens of its next pass, then takes their logits.
class Session::Writer {
 public:
  explicit Writer(const SessionWriting& writing)
      : session_(*writing.session),
        options_(writing.options),
        sampler_(options_.sampling),
        lookup_(kLookupNgram, kLookupDraft),
        drafts_(options_.speculation == Speculation::kPromptLookup && options_.sampling.greedy() &&
                !session_.memory_.has_recurrent()),
        usable_(
            std::min(session_.model_.facts().vocabulary, session_.tokenizer_.vocabulary_size())),
        allowed_(usable_),
        output_(session_.tokenizer_, options_, writing.sink) {
    TOME_CHECK(!session_.tokens_.empty() && session_.logits_.shape().rank() == 2);
    if (options_.max_tokens < 1) {
      throw Error(Code::kInvalidArgument, "the number of new tokens must be at least 1");
    }
  }

  Session& session() { return session_; }
  bool ended() const { return ended_; }

  // Chooses the first token.
  void Begin() {
    if (!AskMask()) {
      End(FinishReason::kComplete);
    } else if (!Choose(session_.logits())) {
      End();
    }
  }

  // Returns the token chosen and a draft, of at most `draft` tokens, of those that may follow it.
  // Empty where the text has ended.
  std::span<const TokenId> NextPass(int64_t draft) {
    if (ended_) return {};
    if (options_.stop.stop_requested()) return End(FinishReason::kCancelled);
    const int64_t room = session_.memory_.max_tokens() - session_.memory_.length();
    if (room < 1) return End(FinishReason::kContext);
    before_ = session_.memory_.length();
    session_.tokens_.push_back(next_);
    pass_.assign(1, next_);
    if (drafts_) {
      const std::vector<TokenId> drafted = lookup_.Draft(session_.tokens_);
      const auto count = std::min({static_cast<int64_t>(drafted.size()), draft, room - 1});
      pass_.insert(pass_.end(), drafted.begin(), drafted.begin() + count);
    }
    return pass_;
  }

  // Takes the logits of the pass, a row a token. Keeps as much of the draft as the model would have
  // chosen itself.
  void Take(std::span<const float> rows) {
    Generated& generated = output_.generated;
    ++generated.forward_passes;
    generated.drafted_tokens += static_cast<int64_t>(pass_.size()) - 1;
    const size_t vocabulary = rows.size() / pass_.size();
    size_t kept = 1;
    bool more = true;
    for (;; ++kept) {
      const auto row = rows.subspan((kept - 1) * vocabulary, vocabulary);
      more = Choose(row);
      const bool agrees = kept < pass_.size() && pass_[kept] == next_;
      if (!more || !agrees) {
        session_.KeepLogits(row);
        break;
      }
      session_.tokens_.push_back(next_);
    }
    generated.accepted_tokens += static_cast<int64_t>(kept) - 1;
    const int64_t length = before_ + static_cast<int64_t>(kept);
    TOME_CHECK(session_.memory_.Truncate(length) == length);
    if (!more) End();
  }

  // May be called once, after the text has ended.
  Generated Result() { return std::move(output_.generated); }

 private:
  // Chooses a token. Returns false when the text ends with it.
  bool Choose(std::span<const float> row) {
    next_ = sampler_.Next(row, usable_, session_.tokens_,
                          options_.mask == nullptr ? nullptr : &allowed_);
    const bool more = output_.Push(next_);
    if (options_.mask == nullptr) return more;
    options_.mask->Accept(next_);
    FinishReason& finish = output_.generated.finish;
    if ((!more && finish != FinishReason::kMaxTokens) || AskMask()) return more;
    // The mask is asked at once, so that a complete text costs no further pass.
    finish = FinishReason::kComplete;
    return false;
  }

  // Asks the mask for the tokens that may come next. Returns false when it allows none.
  bool AskMask() {
    if (options_.mask == nullptr) return true;
    allowed_.Clear();
    options_.mask->AddAllowed(allowed_);
    return !allowed_.empty();
  }

  void End() {
    output_.Finish();
    output_.generated.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    ended_ = true;
  }
  std::span<const TokenId> End(FinishReason reason) {
    output_.generated.finish = reason;
    End();
    return {};
  }

  Session& session_;
  const GenerateOptions& options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Sampler sampler_;
  PromptLookup lookup_;
  bool drafts_;
  int64_t usable_;
  TokenSet allowed_;  // the tokens that the mask allows next
  Output output_;
  TokenId next_ = 0;           // chosen, not yet in memory
  std::vector<TokenId> pass_;  // the token chosen and the draft
  int64_t before_ = 0;         // tokens in memory before the pass
  bool ended_ = false;
};

Session::Session(const Model& model, const Tokenizer& tokenizer, const Compute& compute,
                 Memory memory)
    : model_(model), tokenizer_(tokenizer), compute_(compute), memory_(std::move(memory)) {}

Session Session::Fork() const {
  Session fork(model_, tokenizer_, compute_, memory_.Fork());
  fork.tokens_ = tokens_;
  if (logits_.shape().rank() == 2) fork.KeepLogits(logits());
  return fork;
}

void Session::KeepLogits(std::span<const float> row) {
  logits_ = Tensor(DType::kF32, {1, static_cast<int64_t>(row.size())});
  std::copy(row.begin(), row.end(), logits_.floats().begin());
}

void Session::AddLogProbabilities(std::span<const TokenId> tokens, std::span<const float> rows,
                                  std::vector<double>& log_probabilities) const {
  const size_t vocabulary = rows.size() / tokens.size();
  if (logits_.shape().rank() == 2) {
    log_probabilities.push_back(LogProbability(compute_.kernels, logits(), tokens.front()));
  }
  for (size_t i = 1; i < tokens.size(); ++i) {
    log_probabilities.push_back(LogProbability(
        compute_.kernels, rows.subspan((i - 1) * vocabulary, vocabulary), tokens[i]));
  }
}

void Session::UseStore(SnapshotStore& store, SnapshotOwner owner) {
  if (memory_.sparse() || memory_.positions().streaming) return;
  store_ = &store;
  owner_ = std::move(owner);
}

size_t Session::Restore(std::span<const TokenId> tokens) {
  if (store_ == nullptr || !tokens_.empty() || tokens.empty()) return 0;
  // At least one token is read, because its logits choose the next.
  restored_ = store_->Restore(owner_, tokens.first(tokens.size() - 1), memory_, compute_.threads);
  kept_ = restored_;
  const auto count = static_cast<size_t>(restored_);
  tokens_.assign(tokens.begin(), tokens.begin() + restored_);
  memory_.Checkpoint();
  return count;
}

size_t Session::ForOnePass(size_t tokens) {
  if (store_ == nullptr || !memory_.has_recurrent()) return tokens;
  const int64_t step = StateStep(memory_.segment());
  const int64_t length = memory_.length();
  const int64_t end = length + static_cast<int64_t>(tokens);
  const int64_t regular = (length / step + 1) * step;
  const int64_t last =
      StatePositionBefore(keep_at_ > length ? keep_at_ : end - 1, memory_.segment());
  const bool worth = last > length && last - kept_ >= kStateWorthKeeping;
  next_state_ = worth ? std::min(regular, last) : regular;
  return static_cast<size_t>(std::min(end, next_state_) - length);
}

void Session::Keep(Tail tail) {
  if (store_ == nullptr) return;
  if (memory_.has_recurrent()) return KeepState(tail);
  const int64_t whole = memory_.length() / kSnapshotTokens * kSnapshotTokens;
  const bool worth =
      tail == Tail::kKept && memory_.length() - std::max(whole, kept_) >= kWorthKeeping;
  if (whole <= kept_ && !worth) return;
  store_->Keep(owner_, tokens_, memory_, worth ? Tail::kKept : Tail::kLeftOut);
  kept_ = worth ? memory_.length() : whole;
}

void Session::KeepState(Tail tail) {
  const int64_t length = memory_.length();
  if (length == 0) return;
  // Within a segment, the memory holds more than the state.
  if (memory_.segment() > 0 && length % memory_.segment() != 0) return;
  if (length != next_state_ && (tail == Tail::kLeftOut || length - kept_ < kStateWorthKeeping))
    return;
  store_->Keep(owner_, tokens_, memory_, Tail::kKept);
  kept_ = length;
}

void Session::Prefill(std::span<const TokenId> tokens, const WorkControl& control) {
  const SessionReading reading{.session = this, .tokens = tokens};
  PrefillTogether({&reading, 1}, control);
}

int64_t Session::Truncate(int64_t length) {
  const int64_t left = memory_.Truncate(length);
  if (left < std::ssize(tokens_)) logits_ = Tensor();  // of a forgotten token
  tokens_.resize(static_cast<size_t>(left));
  kept_ = std::min(kept_, left);
  return left;
}

Generated Session::Generate(const GenerateOptions& options, const TextSink& sink) {
  const SessionWriting writing{.session = this, .options = options, .sink = sink};
  return std::move(GenerateTogether({&writing, 1}).front());
}

void PrefillTogether(std::span<const SessionReading> wanted, const WorkControl& control) {
  std::vector<SessionReading> readings(wanted.begin(), wanted.end());
  size_t total = 0;
  size_t done = 0;
  for (SessionReading& reading : readings) {
    const bool asked = reading.tap != nullptr || reading.log_probabilities != nullptr;
    const size_t restored = asked ? 0 : reading.session->Restore(reading.tokens);
    total += reading.tokens.size();
    done += restored;
    reading.tokens = reading.tokens.subspan(restored);
  }
  control.Report("reading", done, total);
  size_t next = 0;    // the reading whose tokens come next
  size_t offset = 0;  // tokens of it that were read
  while (done < total) {
    if (control.stop.stop_requested()) {
      for (const SessionReading& reading : readings) reading.session->Keep(Session::Tail::kKept);
      control.CheckStop();
    }
    std::vector<BatchItem> batch;
    struct Passing {
      const SessionReading* reading;
      bool last;  // the reading ends with this pass
    };
    std::vector<Passing> passing;
    size_t room = kPrefillChunk;
    while (room > 0 && next < readings.size()) {
      const SessionReading& reading = readings[next];
      Session* const session = reading.session;
      const std::span<const TokenId> all = reading.tokens;
      if (reading.log_probabilities != nullptr) room = std::min(room, kScoredChunk);
      const auto tokens =
          all.subspan(offset, std::min(room, session->ForOnePass(all.size() - offset)));
      offset += tokens.size();
      room -= tokens.size();
      const bool last = offset == all.size();
      if (!last) room = 0;  // its other tokens come in another pass
      if (!tokens.empty()) {
        batch.push_back({.memory = &session->memory_,
                         .tokens = tokens,
                         .logits = reading.log_probabilities != nullptr ? LogitsOf::kAll
                                   : last                               ? LogitsOf::kLast
                                                                        : LogitsOf::kNone,
                         .tap = reading.tap});
        passing.push_back({&reading, last});
      }
      if (last) {
        ++next;
        offset = 0;
      }
    }
    const Session& first = *passing.front().reading->session;
    Tensor rows = first.model_.Forward(batch, first.compute_);
    const auto vocabulary = static_cast<size_t>(rows.shape()[1]);
    std::span<const float> unread = rows.floats();
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto& tokens = batch[i].tokens;
      const auto& [reading, last] = passing[i];
      const bool prompt = reading->origin == TokenOrigin::kPrompt;
      Session& session = *reading->session;
      session.tokens_.insert(session.tokens_.end(), tokens.begin(), tokens.end());
      if (prompt) {
        session.memory_.Checkpoint();
        const bool keeps_tail = last && !session.memory_.has_recurrent();
        session.Keep(keeps_tail ? Session::Tail::kKept : Session::Tail::kLeftOut);
      }
      done += tokens.size();
      if (batch[i].logits == LogitsOf::kNone) {
        session.logits_ = Tensor();
        continue;
      }
      const size_t count = batch[i].logits == LogitsOf::kAll ? tokens.size() : 1;
      if (reading->log_probabilities != nullptr) {
        session.AddLogProbabilities(tokens, unread.first(count * vocabulary),
                                    *reading->log_probabilities);
      }
      if (prompt && last) session.memory_.Preselect();
      session.KeepLogits(unread.subspan((count - 1) * vocabulary, vocabulary));
      unread = unread.subspan(count * vocabulary);
    }
    control.Report("reading", done, total);
  }
}

std::vector<Generated> GenerateTogether(std::span<const SessionWriting> writings) {
  std::deque<Session::Writer> writers;
  for (const SessionWriting& writing : writings) writers.emplace_back(writing);
  for (Session::Writer& writer : writers) writer.Begin();
  for (;;) {
    const auto going = std::count_if(writers.begin(), writers.end(),
                                     [](const Session::Writer& writer) { return !writer.ended(); });
    if (going == 0) break;
    const int64_t draft = std::max<int64_t>(0, kLookupPass / going - 1);
    std::vector<BatchItem> batch;
    std::vector<Session::Writer*> passing;
    for (Session::Writer& writer : writers) {
      const auto tokens = writer.NextPass(draft);
      if (tokens.empty()) continue;
      batch.push_back(
          {.memory = &writer.session().memory_, .tokens = tokens, .logits = LogitsOf::kAll});
      passing.push_back(&writer);
    }
    if (batch.empty()) break;
    const Session& first = passing.front()->session();
    Tensor rows = first.model_.Forward(batch, first.compute_);
    const auto vocabulary = static_cast<size_t>(rows.shape()[1]);
    std::span<const float> untaken = rows.floats();
    for (size_t i = 0; i < batch.size(); ++i) {
      const size_t count = batch[i].tokens.size() * vocabulary;
      passing[i]->Take(untaken.first(count));
      untaken = untaken.subspan(count);
    }
  }
  std::vector<Generated> results;
  for (Session::Writer& writer : writers) results.push_back(writer.Result());
  return results;
}

}  // namespace tome
