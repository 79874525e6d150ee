#include "tome/text/han_folding.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace tome {
namespace {

// A character beyond the Basic Multilingual Plane and what it folds to.
struct RareFolding {
  char32_t from;
  char32_t to;
};

// Written by make_han_folding.cc: kFirstFolded, kFolded, kRareFoldings (sorted), kVersion.
#include "tome/text/han_folding_table.inc"

}  // namespace

char32_t FoldHan(char32_t c) {
  const auto index = static_cast<size_t>(c) - kFirstFolded;  // huge for smaller characters
  if (index < std::size(kFolded)) return kFolded[index];
  if (c <= 0xFFFF) return c;
  const auto* found = std::lower_bound(
      std::begin(kRareFoldings), std::end(kRareFoldings), c,
      [](const RareFolding& folding, char32_t from) { return folding.from < from; });
  return found != std::end(kRareFoldings) && found->from == c ? found->to : c;
}

std::string_view HanFoldingVersion() { return kVersion; }

}  // namespace tome
