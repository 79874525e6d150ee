// DenseSearch finds the windows of documents whose vectors are nearest to that of a question.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/base/thread_pool.h"
#include "tome/embed/embedding_model.h"
#include "tome/retrieval/dense_index.h"
#include "tome/store/store.h"

namespace tome {

// A window and its cosine with the question.
struct FoundWindow {
  DocumentId document = 0;
  TextSpan span;
  double cosine = 0;
};

// Holds the vectors of the documents that it was made for, as the store had them then. A search is
// const, but the embedding model serves one caller at a time.
class DenseSearch {
 public:
  // Reads the stored vectors of the documents, or of all where `documents` is empty. `model` must
  // outlive the search. Throws Error(kCorrupt) for damaged vectors.
  DenseSearch(Store& store, EmbedderId embedder, std::span<const DocumentId> documents,
              const EmbeddingModel& model);

  // Returns at most `limit` windows, best first. Without documents, all are searched.
  std::vector<FoundWindow> Find(std::string_view question, std::span<const DocumentId> documents,
                                size_t limit, const WorkControl& control) const;

  int64_t windows() const { return index_.size(); }

 private:
  // The windows of a document: numbers [begin, end) of the index.
  struct Held {
    DocumentId document = 0;
    IdRange ids;
  };

  const EmbeddingModel& model_;
  const KernelSet& kernels_;
  mutable ThreadPool threads_;
  std::vector<Held> held_;       // ascending by ids, and by document
  std::vector<TextSpan> spans_;  // [ids]
  DenseIndex index_;
};

}  // namespace tome
