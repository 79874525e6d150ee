#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/base/file.h"
#include "tome/embed/embedding_model.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

constexpr uint64_t kMaxEmbeddedBytes = uint64_t{1} << 30;

struct EmbedOptions {
  ModelOptions model;
  std::vector<std::string> files;
  TextRole role = TextRole::kPassage;
  EmbeddingOptions embedding;
  bool json = false;
};

// The texts of a call, which point into the bytes that were read.
struct Texts {
  std::vector<std::string> bytes;
  std::vector<std::string_view> views;
};

// Returns the files as a text each, or without files the lines of standard input. Empty lines are
// texts as well, so that line and vector have the same number.
Texts ReadTexts(const std::vector<std::string>& files) {
  Texts texts;
  for (const std::string& file : files) {
    texts.bytes.push_back(ReadAll(OpenForReading(file).get(), kMaxEmbeddedBytes, file));
  }
  if (!files.empty()) {
    texts.views.assign(texts.bytes.begin(), texts.bytes.end());
    return texts;
  }
  texts.bytes.push_back(ReadAll(STDIN_FILENO, kMaxEmbeddedBytes, "standard input"));
  std::string_view rest = texts.bytes.front();
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    texts.views.push_back(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return texts;
}

// Appends the row's numbers, each as the shortest decimal that is read back as the same float.
void AppendRow(const Embeddings& embeddings, size_t row, char separator, std::string& out) {
  const auto width = static_cast<size_t>(embeddings.vectors.shape()[1]);
  const auto values = embeddings.vectors.floats().subspan(row * width, width);
  for (size_t i = 0; i < width; ++i) {
    if (i > 0) out += separator;
    fmt::format_to(std::back_inserter(out), "{}", values[i]);
  }
}

void PrintEmbeddings(const Embeddings& embeddings, size_t count, const ordered_json* facts) {
  std::string out;
  if (facts != nullptr) {
    // The numbers are written here: they are many, and a float's shortest decimal is shorter than
    // the double's that a JSON value would hold.
    out = facts->dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    out.back() = ',';
    out += "\"embeddings\":[";
  }
  for (size_t row = 0; row < count; ++row) {
    if (facts == nullptr) {
      AppendRow(embeddings, row, ' ', out);
      out += '\n';
    } else {
      out += row == 0 ? "[" : ",[";
      AppendRow(embeddings, row, ',', out);
      out += ']';
    }
    if (out.size() < (size_t{1} << 16)) continue;
    fmt::print("{}", out);
    out.clear();
  }
  if (facts != nullptr) out += "]}\n";
  fmt::print("{}", out);
}

void Embed(const EmbedOptions& options, const std::stop_token& stop) {
  if (options.model.named.empty()) {
    throw CLI::ValidationError("--model", "an embedding model is needed; name one with --model");
  }
  const auto model = EmbeddingModel::Open(ModelNamed(options.model.named), options.embedding);
  for (const std::string& note : model->notes()) PrintNote(note);
  const Texts texts = ReadTexts(options.files);
  ProgressBar progress(model->name());
  const Embeddings embeddings =
      model->Embed(texts.views, options.role, {.stop = stop, .progress = progress.Function()});
  progress.Hide();
  if (!embeddings.split.empty()) {
    PrintNote(fmt::format(
        "{} of {} texts are longer than the {} tokens that the model reads at once; their vectors "
        "are means of their parts'",
        embeddings.split.size(), texts.views.size(), model->facts().max_tokens));
  }
  if (!options.json) return PrintEmbeddings(embeddings, texts.views.size(), nullptr);
  const EmbeddingFacts& facts = model->facts();
  const ordered_json object{
      {"model", model->name()},
      {"width", facts.width},
      {"prefix", options.role == TextRole::kQuery ? facts.query_prefix : facts.passage_prefix},
      {"tokens", embeddings.tokens},
      {"split", embeddings.split}};
  PrintEmbeddings(embeddings, texts.views.size(), &object);
}

}  // namespace

void AddEmbedCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App* command = app.add_subcommand("embed", "Turn texts into vectors, to compare meanings");
  command->add_option("files", options->files, "Files, each of them a text")->type_name("FILE…");
  AddModelOption(*command, options->model, WithoutModel::kNone);
  const std::map<std::string, TextRole> roles{{"passage", TextRole::kPassage},
                                              {"query", TextRole::kQuery}};
  command
      ->add_option_function<std::string>(
          "--role", [options, roles](const std::string& name) { options->role = roles.at(name); },
          "What the texts are in a search; some models put other words before questions than "
          "before passages")
      ->check(CLI::IsMember({"passage", "query"}))
      ->default_str("passage");
  command
      ->add_option_function<std::string>(
          "--weights",
          [options](const std::string& name) {
            options->embedding.weights =
                name == "q8" ? EncoderWeights::kQ8 : EncoderWeights::kAsStored;
          },
          "Compute with weights of 8 bits, about twice as fast, or as the file has them")
      ->check(CLI::IsMember({"q8", "stored"}))
      ->default_str("q8");
  AddThreadsOption(*command, options->embedding.threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Without files, every line of standard input is a text. Each vector has the length 1; plain "
      "output\n"
      "has one a line.\n"
      "Example:\n"
      "  echo \"Where is the key?\" | tome embed --model bge-small-en-v1.5 --role query");
  command->callback([options, &context] {
    context.run = [options, &context] { Embed(*options, context.stop); };
  });
}

}  // namespace tome
