// A set of pieces that finds every piece which a text begins with: a double-array trie over bytes.
//
// Node s has the child t for byte c where t = base[s] + c and check[t] = s (Aoe 1989, "An efficient
// digital search algorithm by using a double-array structure").
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {

class PieceTrie {
 public:
  PieceTrie() = default;
  // Builds the trie. Empty pieces are left out; of equal pieces the first one stays. The memory is
  // 12 bytes for each node, plus gaps.
  explicit PieceTrie(std::vector<std::pair<std::string_view, TokenId>> entries);

  bool empty() const { return nodes_.empty(); }

  // Calls visit(bytes, id) for each piece that `text` begins with, the shortest first.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit&& visit) const {
    if (nodes_.empty()) return;
    int32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const int32_t child =
          nodes_[static_cast<size_t>(node)].base + static_cast<unsigned char>(text[i]);
      if (nodes_[static_cast<size_t>(child)].check != node) return;
      node = child;
      const TokenId id = nodes_[static_cast<size_t>(node)].id;
      if (id >= 0) visit(i + 1, id);
    }
  }

 private:
  static constexpr int32_t kFree = -1;
  struct Node {
    int32_t base = 0;
    int32_t check = kFree;
    TokenId id = -1;
  };

  int32_t FindBase(const std::vector<uint8_t>& labels);
  void Grow(size_t size);

  std::vector<Node> nodes_;
  size_t free_from_ = 0;    // no node before this one is free
  size_t search_from_ = 0;  // the search for room for several children begins here
};

}  // namespace tome
