// Embeds documents window by window, so that they can be searched by meaning.
//
// Vectors are stored as they are made, some windows at a time, so that embedding that was stopped
// or killed goes on where it was, and nothing is embedded twice. Several processes may embed the
// same document: each window is stored once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tome/base/progress.h"
#include "tome/documents/windows.h"
#include "tome/embed/embedding_model.h"
#include "tome/store/store.h"

namespace tome {

// A window is as wide as a quote (kQuoteColumns), so that all of what its vector speaks of is shown,
// and shares a fifth with the one before it. On the development questions of bench/retrieval, five
// quotes held 0.69 of the answers in English with windows of 800 columns, and 0.58 with 1,200, of
// which a quote shows a part. Raise kWindowVersion with every change of what is embedded.
inline constexpr uint64_t kWindowColumns = 800;
inline constexpr uint64_t kOverlapColumns = 160;
inline constexpr int kWindowVersion = 2;

// Returns the size of a document's windows in tokens. A column is half a CJK character, which is a
// token, and one of the four other characters that are a token.
WindowSize WindowSizeOf(std::string_view text);

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
