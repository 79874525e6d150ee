// Analyzes the passages of a document for the lexical index. Analysis runs on a thread of its own
// and insertion on the caller's, so that both run at the same time.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"
#include "tome/retrieval/lexical_index.h"

namespace tome {

// Takes a batch of analyzed passages. `first` is the index of the batch's first passage.
using BatchFn = std::function<void(size_t first, std::span<const PassageTerms> batch)>;

// Analyzes `passages` in order and gives them to `consume` in batches, on the caller's thread. The
// same passages always give the same terms; removing them from the index relies on it. Throws the
// errors of `consume` and of the analysis, and Error(kCancelled).
void AnalyzePassages(std::string_view text, const std::vector<Section>& sections,
                     std::span<const Passage> passages, const WorkControl& control,
                     const BatchFn& consume);

}  // namespace tome
