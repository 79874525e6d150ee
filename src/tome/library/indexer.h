// Keeps the postings of a store true to its documents. Analysis of passages runs on a thread of its
// own and insertion on the caller's, so that both run at the same time.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"
#include "tome/store/store.h"

namespace tome {

// Takes a batch of analyzed passages. `first` is the index of the batch's first passage.
using BatchFn = std::function<void(size_t first, std::span<const PassageTerms> batch)>;

// Analyzes `passages` in order and gives them to `consume` in batches, on the caller's thread. The
// same passages always give the same terms; removing them from the index relies on it. Throws the
// errors of `consume` and of the analysis, and Error(kCancelled).
void AnalyzePassages(std::string_view text, const std::vector<Section>& sections,
                     std::span<const Passage> passages, const WorkControl& control,
                     const BatchFn& consume);

// A document whose passages have the numbers `first`, `first` + 1, ….
struct IndexedText {
  std::string_view text;
  const std::vector<Section>& sections;
  std::span<const Passage> passages;
  PassageId first = 0;
};
void AddToIndex(const IndexedText& document, PostingStore& postings, const WorkControl& control);

// Postings can be removed only with the terms of their text.
enum class IndexRemoval {
  kRemoved,
  kTextDamaged,  // some or all postings are left: the index is to be rebuilt
};
IndexRemoval RemoveFromIndex(const DocumentRecord& document, Store& store,
                             const WorkControl& control);

// Makes the postings of all documents anew. Begins no transaction.
void RebuildIndex(Store& store, const WorkControl& control);

// Rebuilds an index of another AnalyzerVersion in one transaction.
void UpgradeIndex(Store& store, const WorkControl& control);

}  // namespace tome
