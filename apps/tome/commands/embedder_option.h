// The option --embedder: the embedding model by which documents are searched by meaning.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <span>
#include <string>

#include "commands/command.h"
#include "tome/answer/answer.h"
#include "tome/answer/way.h"
#include "tome/embed/embedding_model.h"
#include "tome/library/library.h"
#include "tome/retrieval/dense_search.h"

namespace tome {

struct EmbedderOptions {
  std::string named;  // a path, the name of an added model, or kNoEmbedder; may be empty
};
inline constexpr const char* kNoEmbedder = "none";

void AddEmbedderOption(CLI::App& command, EmbedderOptions& options);

// Opens the model that --embedder names, else the default one, else the one that was given last.
// Null where there is none. Quotes do without config.toml, and so without the default one.
std::unique_ptr<EmbeddingModel> OpenEmbedder(const EmbedderOptions& options, Way way, int threads,
                                             Library& library);

// Embeds the named documents where they are not, with a progress bar. Does nothing without a model.
void EmbedNamed(Library& library, const EmbeddingModel* model,
                std::span<const NamedDocument> documents, const CommandContext& context);

// Embeds the named documents where they are not, and returns a search of their vectors. Without
// documents it searches what is embedded of the shelf, and a note says how much is not. Null without
// a model.
std::unique_ptr<DenseSearch> SearchNamed(Library& library, const EmbeddingModel* model,
                                         std::span<const NamedDocument> documents,
                                         const CommandContext& context);

}  // namespace tome
