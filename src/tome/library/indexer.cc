#include "tome/library/indexer.h"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "tome/base/bounded_queue.h"
#include "tome/base/error.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

// 256 passages of 200 tokens are some 200 KB of text. That is enough work to hide the cost of the
// queue, and little enough that several batches in flight stay small.
constexpr size_t kBatchPassages = 256;
constexpr size_t kBatchesInFlight = 8;

// Analyzes batches. It keeps the terms of the headings for the following passages of the same
// section.
class BatchAnalyzer {
 public:
  BatchAnalyzer(std::string_view text, const std::vector<Section>& sections)
      : text_(text), sections_(sections) {}

  std::vector<PassageTerms> Analyze(std::span<const Passage> passages) {
    std::vector<PassageTerms> batch;
    batch.reserve(passages.size());
    for (const Passage& passage : passages) {
      if (passage.section != section_) {
        section_ = passage.section;
        headings_ = AnalyzeToStream(SectionPath(sections_, section_), analyzer_);
      }
      batch.push_back({.text = AnalyzeToStream(
                           text_.substr(passage.span.begin, passage.span.size()), analyzer_),
                       .headings = headings_});
    }
    return batch;
  }

 private:
  std::string_view text_;
  const std::vector<Section>& sections_;
  Analyzer analyzer_;
  int64_t section_ = kNoParent;
  AnalyzedText headings_;
};

// What of a stored document is analyzed.
struct StoredDocument {
  std::string text;
  std::vector<Section> sections;
  std::vector<Passage> passages;
};

StoredDocument ReadStoredDocument(const DocumentRecord& record, DocumentStore& documents) {
  return {.text = documents.Text(record.id, {.begin = 0, .end = record.text_bytes}),
          .sections = documents.Sections(record.id),
          .passages = documents.PassagesOf(record)};
}

}  // namespace

void AnalyzePassages(std::string_view text, const std::vector<Section>& sections,
                     std::span<const Passage> passages, const WorkControl& control,
                     const BatchFn& consume) {
  BoundedQueue<std::vector<PassageTerms>> queue(kBatchesInFlight);
  std::exception_ptr failure;  // of the producer; read after the join
  std::jthread producer([&] {
    try {
      BatchAnalyzer analyzer(text, sections);
      for (size_t first = 0; first < passages.size(); first += kBatchPassages) {
        const size_t count = std::min(kBatchPassages, passages.size() - first);
        if (!queue.Push(analyzer.Analyze(passages.subspan(first, count)))) return;
      }
    } catch (...) {
      failure = std::current_exception();
    }
    queue.Close();
  });
  try {
    size_t first = 0;
    for (auto batch = queue.Pop(); batch.has_value(); batch = queue.Pop()) {
      control.CheckStop();
      consume(first, *batch);
      first += batch->size();
      control.Report("indexing", first, passages.size());
    }
  } catch (...) {
    queue.Close();
    throw;
  }
  producer.join();
  if (failure) std::rethrow_exception(failure);
}

void AddToIndex(const IndexedText& document, PostingStore& postings, const WorkControl& control) {
  AnalyzePassages(document.text, document.sections, document.passages, control,
                  [&](size_t offset, std::span<const PassageTerms> batch) {
                    postings.Add(document.first + static_cast<PassageId>(offset), batch);
                  });
}

IndexRemoval RemoveFromIndex(const DocumentRecord& record, Store& store,
                             const WorkControl& control) {
  try {
    const StoredDocument stored = ReadStoredDocument(record, store.documents());
    AnalyzePassages(stored.text, stored.sections, stored.passages, control,
                    [&](size_t offset, std::span<const PassageTerms> batch) {
                      store.postings().Remove(
                          record.passages.first + static_cast<PassageId>(offset), batch);
                    });
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) throw;
    return IndexRemoval::kTextDamaged;
  }
  return IndexRemoval::kRemoved;
}

void RebuildIndex(Store& store, const WorkControl& control) {
  store.postings().Clear();
  for (const DocumentRecord& record : store.documents().List()) {
    const StoredDocument stored = ReadStoredDocument(record, store.documents());
    AddToIndex({.text = stored.text,
                .sections = stored.sections,
                .passages = stored.passages,
                .first = record.passages.first},
               store.postings(), control);
  }
}

void UpgradeIndex(Store& store, const WorkControl& control) {
  const std::string version = AnalyzerVersion();
  if (store.Property(kAnalyzerProperty) == version) return;
  const auto transaction = store.Begin();
  RebuildIndex(store, control);
  store.SetProperty(kAnalyzerProperty, version);
  transaction->Commit();
}

}  // namespace tome
