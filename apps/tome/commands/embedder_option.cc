#include "commands/embedder_option.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "commands/model_options.h"
#include "terminal.h"
#include "tome/answer/document_names.h"
#include "tome/library/config.h"
#include "tome/library/embedders.h"

namespace tome {
namespace {

std::optional<std::filesystem::path> FindEmbedder(const EmbedderOptions& options, Way way,
                                                  Library& library) {
  if (options.named == kNoEmbedder) return std::nullopt;
  if (!options.named.empty()) return ModelNamed(options.named);
  if (way != Way::kQuotes) {
    const Config config = ReadConfig(Library::DefaultHome());
    if (!config.default_embedder.empty()) return ModelNamed(config.default_embedder);
  }
  return KeptEmbedder(library);
}

}  // namespace

void AddEmbedderOption(CLI::App& command, EmbedderOptions& options) {
  command
      .add_option("--embedder", options.named,
                  "The embedding model that also searches by meaning: a file, a folder or the name "
                  "of an added one; none: search by words alone")
      ->default_str("the default one, else the one that was given last")
      ->type_name("MODEL");
}

std::unique_ptr<EmbeddingModel> OpenEmbedder(const EmbedderOptions& options, Way way, int threads,
                                             Library& library) {
  const auto path = FindEmbedder(options, way, library);
  if (!path) return nullptr;
  std::unique_ptr<EmbeddingModel> model =
      EmbeddingModel::Open(*path, {.threads = threads, .weights = EncoderWeights::kQ8});
  for (const std::string& note : model->notes()) PrintNote(note);
  return model;
}

void EmbedNamed(Library& library, const EmbeddingModel* model,
                std::span<const NamedDocument> documents, const CommandContext& context) {
  if (model == nullptr || documents.empty()) return;
  ProgressBar bar(model->name());
  Embed(library, *model, IdsOf(documents), {.stop = context.stop, .progress = bar.Function()});
}

std::unique_ptr<DenseSearch> SearchNamed(Library& library, const EmbeddingModel* model,
                                         std::span<const NamedDocument> documents,
                                         const CommandContext& context) {
  if (model == nullptr) return nullptr;
  EmbedNamed(library, model, documents, context);
  if (documents.empty()) {
    if (const size_t missing = CountNotEmbedded(library, *model); missing > 0) {
      PrintNote(
          fmt::format("note: {} documents are not embedded and are found by their words alone; "
                      "`tome library add` "
                      "with their files embeds them",
                      missing));
    }
  }
  return SearchByMeaning(library, *model, IdsOf(documents));
}

}  // namespace tome
