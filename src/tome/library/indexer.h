// Fills the lexical index with a document's passages: analysis on a thread of its own, insertion on
// the caller's, so that both cores work.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"
#include "tome/retrieval/lexical_index.h"

namespace tome {

// What to do with each batch of analyzed passages; `first` is the index of its first one.
using BatchFn = std::function<void(size_t first, std::span<const PassageTerms> batch)>;

// Analyzes `passages` in order, in batches, and gives each to `consume` on this thread. The same
// passages always give the same terms, which removal relies on. Throws what `consume` or the
// analysis throws, and Error(kCancelled).
void AnalyzePassages(std::string_view text, const std::vector<Section>& sections,
                     std::span<const Passage> passages, const WorkControl& control,
                     const BatchFn& consume);

}  // namespace tome
