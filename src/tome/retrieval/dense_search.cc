#include "tome/retrieval/dense_search.h"

#include <algorithm>
#include <numeric>

namespace tome {

DenseSearch::DenseSearch(Store& store, EmbedderId embedder, std::span<const DocumentId> documents,
                         const EmbeddingModel& model)
    : model_(model),
      kernels_(SelectKernelSet()),
      threads_(ProcessorCount()),
      index_(model.facts().width) {
  std::vector<int64_t> ids;
  store.vectors().Read(embedder, documents, [&](const VectorRow& row) {
    const auto begin = static_cast<int64_t>(spans_.size());
    const auto end = begin + static_cast<int64_t>(row.spans.size());
    if (held_.empty() || held_.back().document != row.document) {
      held_.push_back({.document = row.document, .ids = {.begin = begin, .end = begin}});
    }
    held_.back().ids.end = end;
    spans_.insert(spans_.end(), row.spans.begin(), row.spans.end());
    ids.resize(row.spans.size());
    std::iota(ids.begin(), ids.end(), begin);
    index_.Add({.ids = ids, .values = row.vectors, .scales = row.scales});
  });
}

std::vector<FoundWindow> DenseSearch::Find(std::string_view question,
                                           std::span<const DocumentId> documents, size_t limit,
                                           const WorkControl& control) const {
  if (spans_.empty() || limit == 0) return {};
  std::optional<std::vector<IdRange>> filter;
  if (!documents.empty()) {
    filter.emplace();
    for (const Held& held : held_) {
      if (std::ranges::find(documents, held.document) != documents.end()) {
        filter->push_back(held.ids);
      }
    }
  }
  const Embeddings embedded = model_.Embed(std::span(&question, 1), TextRole::kQuery,
                                           {.stop = control.stop, .progress = {}});
  const std::vector<Neighbor> neighbors =
      index_.Search(embedded.vectors.floats(), static_cast<int64_t>(limit),
                    {.kernels = kernels_, .threads = threads_},
                    filter ? std::optional<std::span<const IdRange>>(*filter) : std::nullopt);
  std::vector<FoundWindow> found;
  for (const Neighbor& neighbor : neighbors) {
    const auto held = std::ranges::upper_bound(held_, neighbor.id, {},
                                               [](const Held& each) { return each.ids.end; });
    found.push_back({.document = held->document,
                     .span = spans_[static_cast<size_t>(neighbor.id)],
                     .cosine = neighbor.cosine});
  }
  return found;
}

}  // namespace tome
