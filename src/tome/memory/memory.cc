#include "tome/memory/memory.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {

std::string NoteOf(const SparseUse& use) {
  const auto part = [](const AttentionShare& share) {
    if (share.seen_pages == 0) return std::string("nothing");
    return fmt::format("{:.1f} % of the pages, {:.1f} % of the mass by the estimate",
                       100 * share.density(), 100 * share.mass());
  };
  return fmt::format("attention was sparse; reading in blocks attended {}; single tokens {}",
                     part(use.blocks), part(use.single));
}

int64_t Memory::bytes() const {
  int64_t bytes = kv_ ? kv_->bytes() : 0;
  if (recurrent_) {
    bytes += recurrent_->bytes() +
             static_cast<int64_t>(checkpoints_.size()) * RecurrentBytes(recurrent_->shape());
  }
  return bytes + (sparse_ ? sparse_->summaries.bytes() : 0);
}

// Drops the pages that no token of the next pass sees.
void Memory::DropForgotten() {
  if (!positions_.streaming) return;
  const StreamingWindow& streaming = *positions_.streaming;
  const int64_t forgotten = streaming.ForgottenTo(length());
  if (forgotten > kv_->dropped()) {
    kv_->Drop(streaming.sinks / kKvPageTokens, (forgotten - kv_->dropped()) / kKvPageTokens);
  }
}

void Memory::Reserve(int64_t tokens) {
  DropForgotten();
  if (kv_) kv_->Reserve(tokens);
  if (recurrent_) recurrent_->Reserve();
}

void Memory::Advance(int64_t tokens) {
  if (kv_) kv_->Advance(tokens);
  if (recurrent_) recurrent_->Advance(tokens);
}

Memory::Past Memory::Past::Fork() const {
  return {.kv = kv ? std::optional(kv->Fork()) : std::nullopt, .recurrent = recurrent.Fork()};
}

Memory::Past Memory::Present() const {
  return {.kv = kv_ ? std::optional(kv_->Fork()) : std::nullopt, .recurrent = recurrent_->Fork()};
}

void Memory::GoBack(Past past) {
  kv_ = std::move(past.kv);
  recurrent_ = std::move(past.recurrent);
}

Memory Memory::Fork() const {
  if (!recurrent_) return {kv_->Fork(), max_tokens_, sparse_, positions_};
  Past present = Present();
  Memory fork(std::move(present.recurrent), std::move(present.kv), max_tokens_, sparse_, segment_);
  for (const Past& past : checkpoints_) fork.checkpoints_.push_back(past.Fork());
  return fork;
}

int64_t Memory::Truncate(int64_t length) {
  TOME_CHECK(length >= 0 && length <= this->length());
  if (!recurrent_) {
    const bool lost =
        positions_.streaming && positions_.streaming->ForgottenTo(length) < kv_->dropped();
    return kv_->Truncate(lost ? 0 : length);
  }
  while (!checkpoints_.empty() && checkpoints_.back().recurrent.length() > length) {
    checkpoints_.pop_back();
  }
  if (length == this->length()) return length;
  if (checkpoints_.empty()) {
    if (kv_) kv_->Truncate(0);
    recurrent_ = Recurrent(recurrent_->shape());
  } else {
    GoBack(checkpoints_.back().Fork());
  }
  return this->length();
}

void Memory::Checkpoint() {
  if (!recurrent_) return;
  if (!checkpoints_.empty() && checkpoints_.back().recurrent.length() == length()) return;
  if (checkpoints_.size() == kCheckpoints) checkpoints_.erase(checkpoints_.begin());
  checkpoints_.push_back(Present());
}

}  // namespace tome
