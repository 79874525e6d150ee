#include "tome/retrieval/window_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tome/base/error.h"
#include "tome/retrieval/quantized_vectors.h"
#include "tome/text/sentences.h"

namespace tome {
namespace {

// Windows that are embedded and stored together: some seconds of work, which is what a stop can
// lose, and enough for the encoder to make full batches of.
constexpr size_t kWindowsTogether = 64;
static_assert(kWindowsTogether <= kMaxRowWindows);

// Embeds the windows of one document from `first` on.
class DocumentEmbedder {
 public:
  DocumentEmbedder(Store& store, EmbedderId embedder, const EmbeddingModel& model,
                   const DocumentRecord& record)
      : store_(store),
        embedder_(embedder),
        model_(model),
        record_(record),
        text_(store.documents().Text(record.id, {.begin = 0, .end = record.text_bytes})),
        sections_(store.documents().Sections(record.id)) {}

  // Calls `report` with the bytes of text that are embedded.
  void Run(VectorProgress progress, const WorkControl& control,
           FunctionRef<void(uint64_t bytes)> report) {
    windows_ = CutWindows(text_, sections_, record_.line_breaks,
                          store_.documents().PassagesOf(record_), WindowSizeOf(text_), control);
    while (static_cast<size_t>(progress.stored) < windows_.size()) {
      const auto first = static_cast<size_t>(progress.stored);
      report(windows_[first].span.begin);
      progress = Embed(first, std::min(kWindowsTogether, windows_.size() - first), control);
    }
    report(record_.text_bytes);
  }

 private:
  VectorProgress Embed(size_t first, size_t count, const WorkControl& control) {
    std::vector<std::string> texts;
    std::vector<TextSpan> spans;
    for (const Window& window : std::span(windows_).subspan(first, count)) {
      spans.push_back(window.span);
      texts.push_back(
          WindowText(record_.title, SectionPath(sections_, window.section),
                     std::string_view(text_).substr(window.span.begin, window.span.size())));
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const Embeddings embeddings =
        model_.Embed(views, TextRole::kPassage, {.stop = control.stop, .progress = {}});
    const int64_t width = model_.facts().width;
    std::vector<int8_t> vectors(count * static_cast<size_t>(width));
    std::vector<float> scales(count);
    QuantizeVectors(embeddings.vectors.floats(), width, vectors, scales);
    return store_.vectors().Put(embedder_, {.document = record_.id,
                                            .first = static_cast<int64_t>(first),
                                            .total = static_cast<int64_t>(windows_.size()),
                                            .spans = spans,
                                            .vectors = vectors,
                                            .scales = scales});
  }

  Store& store_;
  const EmbedderId embedder_;
  const EmbeddingModel& model_;
  const DocumentRecord& record_;
  const std::string text_;
  const std::vector<Section> sections_;
  std::vector<Window> windows_;
};

}  // namespace

std::string WindowText(std::string_view title, std::string_view section_path,
                       std::string_view text) {
  std::string whole;
  for (const std::string_view part : {title, section_path}) {
    if (!part.empty()) whole += fmt::format("{}\n", part);
  }
  return whole += text;
}

WindowSize WindowSizeOf(std::string_view text) {
  const TokenCount count = CountTokens(text);
  const uint64_t columns = std::max<uint64_t>(2 * count.cjk + count.others, 1);
  // The share of tokens in columns is between a quarter and a half.
  return {.tokens = kWindowColumns * count.tokens() / columns,
          .overlap = kOverlapColumns * count.tokens() / columns};
}

EmbedderId EmbedderOf(Store& store, const EmbeddingModel& model) {
  const std::string key = fmt::format("{} windows {}: {}/{}", model.Key().ToString(),
                                      kWindowVersion, kWindowColumns, kOverlapColumns);
  return store.vectors().Register(key, model.name(), model.facts().width);
}

void EmbedDocuments(Store& store, EmbedderId embedder, std::span<const DocumentId> documents,
                    const EmbeddingModel& model, const WorkControl& control) {
  struct Open {
    DocumentRecord record;
    VectorProgress progress;
  };
  std::vector<Open> open;
  uint64_t total = 0;
  for (const DocumentId id : documents) {
    const VectorProgress progress = store.vectors().ProgressOf(embedder, id);
    if (progress.complete()) continue;
    open.push_back({.record = store.documents().Read(id), .progress = progress});
    total += open.back().record.text_bytes;
  }
  uint64_t done = 0;
  for (const Open& each : open) {
    DocumentEmbedder(store, embedder, model, each.record)
        .Run(each.progress, control, [&](uint64_t bytes) {
          control.CheckStop();
          control.Report("embedding", done + bytes, total);
        });
    done += each.record.text_bytes;
  }
}

}  // namespace tome
