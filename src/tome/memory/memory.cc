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

}  // namespace tome
