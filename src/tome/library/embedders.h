// Which embedding model searches a shelf by meaning, and the vectors that it needs there.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "tome/base/progress.h"
#include "tome/embed/embedding_model.h"
#include "tome/library/library.h"
#include "tome/retrieval/dense_search.h"

namespace tome {

// Returns the file or folder of the embedding model that was given last for this shelf. Empty where
// none was given, and where it is gone.
std::optional<std::filesystem::path> KeptEmbedder(Library& library);

// Embeds those of the documents that the model has not embedded yet, and keeps the model as the one
// for questions to come. Reports "embedding", in bytes of text. What was embedded stays after
// Error(kCancelled). Throws the errors of EmbedDocuments.
void Embed(Library& library, const EmbeddingModel& model, std::span<const DocumentId> documents,
           const WorkControl& control);

// Returns a search of the vectors that the model gave the documents, or all documents where
// `documents` is empty. The model must outlive it.
std::unique_ptr<DenseSearch> SearchByMeaning(Library& library, const EmbeddingModel& model,
                                             std::span<const DocumentId> documents);

// Returns how many documents of the shelf the model has not embedded, or not completely.
size_t CountNotEmbedded(Library& library, const EmbeddingModel& model);

}  // namespace tome
