#include "tome/library/embedders.h"

#include <string>
#include <system_error>

#include "tome/retrieval/window_vectors.h"

namespace tome {
namespace {

// The property of the store that names the model's file or folder.
constexpr std::string_view kEmbedderProperty = "embedder";

}  // namespace

std::optional<std::filesystem::path> KeptEmbedder(Library& library) {
  const auto kept = library.store().Property(kEmbedderProperty);
  std::error_code error;
  if (!kept || !std::filesystem::exists(*kept, error)) return std::nullopt;
  return std::filesystem::path(*kept);
}

void Embed(Library& library, const EmbeddingModel& model, std::span<const DocumentId> documents,
           const WorkControl& control) {
  Store& store = library.store();
  const std::string path = std::filesystem::absolute(model.path()).lexically_normal().string();
  if (store.Property(kEmbedderProperty) != path) store.SetProperty(kEmbedderProperty, path);
  EmbedDocuments(store, EmbedderOf(store, model), documents, model, control);
}

std::unique_ptr<DenseSearch> SearchByMeaning(Library& library, const EmbeddingModel& model,
                                             std::span<const DocumentId> documents) {
  Store& store = library.store();
  return std::make_unique<DenseSearch>(store, EmbedderOf(store, model), documents, model);
}

size_t CountNotEmbedded(Library& library, const EmbeddingModel& model) {
  Store& store = library.store();
  return store.vectors().Incomplete(EmbedderOf(store, model)).size();
}

}  // namespace tome
