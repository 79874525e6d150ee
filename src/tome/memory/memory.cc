#include "tome/memory/memory.h"

#include <fmt/format.h>

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

void Memory::DropForgotten() {
  if (!positions_.streaming) return;
  const StreamingWindow& streaming = *positions_.streaming;
  const int64_t forgotten = streaming.ForgottenTo(length());
  if (forgotten > kv_.dropped()) {
    kv_.Drop(streaming.sinks / kKvPageTokens, (forgotten - kv_.dropped()) / kKvPageTokens);
  }
}

int64_t Memory::Truncate(int64_t length) {
  const bool lost =
      positions_.streaming && positions_.streaming->ForgottenTo(length) < kv_.dropped();
  const int64_t left = lost ? 0 : length;
  kv_.Truncate(left);
  return left;
}

}  // namespace tome
