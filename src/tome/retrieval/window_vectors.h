// Embeds documents window by window, so that they can be searched by meaning.
//
// Vectors are stored as they are made, some windows at a time, so that embedding that was stopped
// or killed goes on where it was, and nothing is embedded twice. Several processes may embed the
// same document: each window is stored once.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tome/base/progress.h"
#include "tome/documents/windows.h"
#include "tome/embed/embedding_model.h"
#include "tome/store/store.h"

namespace tome {

// The windows that vectors are made of. Raise kWindowVersion with every change of what is embedded.
inline constexpr WindowSize kWindowSize{.tokens = 300, .overlap = 60};
inline constexpr int kWindowVersion = 1;

// Returns the text that is embedded for a window: the document's title, the path of its section,
// and the window's own text. The first two say what the window is about where it does not.
std::string WindowText(std::string_view title, std::string_view section_path,
                       std::string_view text);

// Returns the store's embedder for a model, which is added where it is missing. Vectors of another
// model, or of other windows, belong to another embedder.
EmbedderId EmbedderOf(Store& store, const EmbeddingModel& model);

// Embeds those of the documents that are not embedded completely. Reports "embedding", in bytes of
// text. After Error(kCancelled), what was embedded stays. Throws Error(kNotFound) for a document
// that is not there, and the errors of EmbeddingModel.
void EmbedDocuments(Store& store, EmbedderId embedder, std::span<const DocumentId> documents,
                    const EmbeddingModel& model, const WorkControl& control);

}  // namespace tome
