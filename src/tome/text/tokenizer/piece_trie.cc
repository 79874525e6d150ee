#include "tome/text/tokenizer/piece_trie.h"

#include <algorithm>

namespace tome {
namespace {

// Number of places that are tried for a node's children before new room is taken at the end. It
// bounds the time of building.
constexpr size_t kMaxTries = 256;

struct Range {
  size_t begin;
  size_t end;
  size_t depth;
  int32_t node;
};

}  // namespace

void PieceTrie::Grow(size_t size) {
  if (size > nodes_.size()) nodes_.resize(std::max(size, nodes_.size() + nodes_.size() / 4));
}

int32_t PieceTrie::FindBase(const std::vector<uint8_t>& labels) {
  const size_t first = labels.front();
  while (free_from_ < nodes_.size() && nodes_[free_from_].check != kFree) ++free_from_;
  search_from_ = std::max(search_from_, free_from_);
  size_t at = labels.size() == 1 ? free_from_ : search_from_;
  for (size_t tries = 0; tries < kMaxTries && at < nodes_.size(); ++at) {
    if (nodes_[at].check != kFree) continue;
    ++tries;
    // Nodes below 257 are never free, so `base` is above 0.
    const size_t base = at - first;
    Grow(base + 257);
    if (std::all_of(labels.begin(), labels.end(),
                    [&](uint8_t label) { return nodes_[base + label].check == kFree; })) {
      return static_cast<int32_t>(base);
    }
    if (labels.size() > 1 && tries == kMaxTries / 2) search_from_ = at;
  }
  const size_t base = nodes_.size();
  Grow(base + 257);
  return static_cast<int32_t>(base);
}

PieceTrie::PieceTrie(std::vector<std::pair<std::string_view, TokenId>> entries) {
  std::erase_if(entries, [](const auto& entry) { return entry.first.empty(); });
  if (entries.empty()) return;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  nodes_.resize(1024);
  for (size_t i = 0; i <= 256; ++i) nodes_[i].check = 0x7FFFFFFF;  // taken, the child of no node
  std::vector<Range> todo{{0, entries.size(), 0, 0}};
  std::vector<uint8_t> labels;
  std::vector<size_t> starts;
  while (!todo.empty()) {
    Range range = todo.back();
    todo.pop_back();
    // The pieces that end at this node come first.
    while (range.begin < range.end && entries[range.begin].first.size() == range.depth) {
      Node& node = nodes_[static_cast<size_t>(range.node)];
      if (node.id < 0) node.id = entries[range.begin].second;
      ++range.begin;
    }
    if (range.begin == range.end) {
      // Its children would be in 0..255, which are taken and not its own.
      nodes_[static_cast<size_t>(range.node)].base = 0;
      continue;
    }
    labels.clear();
    starts.clear();
    for (size_t i = range.begin; i < range.end; ++i) {
      const auto label = static_cast<uint8_t>(entries[i].first[range.depth]);
      if (labels.empty() || labels.back() != label) {
        labels.push_back(label);
        starts.push_back(i);
      }
    }
    starts.push_back(range.end);
    const int32_t base = FindBase(labels);
    nodes_[static_cast<size_t>(range.node)].base = base;
    for (size_t k = 0; k < labels.size(); ++k) {
      const int32_t child = base + labels[k];
      nodes_[static_cast<size_t>(child)].check = range.node;
      todo.push_back({starts[k], starts[k + 1], range.depth + 1, child});
    }
  }
  nodes_.shrink_to_fit();
}

}  // namespace tome
