#include "commands/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "terminal.h"
#include "tome/base/error.h"
#include "tome/library/config.h"
#include "tome/library/library.h"

namespace tome {
namespace {

constexpr double kStandardMass = 0.95;

std::vector<std::string> KvNames() {
  std::vector<std::string> names;
  for (const KvType type : kKvTypes) names.emplace_back(NameOf(type));
  return names;
}

// Returns the mass that a value of --attention asks for: 1 for "exact", kStandardMass for "sparse",
// and MASS for "sparse=MASS" if it is above 0 and at most 1. Returns no value for any other text.
std::optional<double> AttentionMass(std::string_view text) {
  if (text == "exact") return 1;
  if (text == "sparse") return kStandardMass;
  constexpr std::string_view kPrefix = "sparse=";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  double mass = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mass);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return mass > 0 && mass <= 1 ? std::optional(mass) : std::nullopt;
}

// Returns the path that config.toml has for the model `name`. Throws Error(kNotFound) where the
// path no longer exists. The error calls the model by its `role`, such as "the default model".
std::filesystem::path PathOf(const Config& config, const std::string& name, std::string_view role) {
  const std::filesystem::path& path = config.models.at(name);
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  throw Error(
      Code::kNotFound,
      fmt::format("{}: {} {} is gone: there is no {}; put it back, forget it with `tome "
                  "model remove {}`, or add another with `tome model add PATH --default`",
                  ConfigFile(Library::DefaultHome()).string(), role, name, path.string(), name));
}

}  // namespace

std::unique_ptr<LanguageModel> OpenModel(const std::filesystem::path& path, int threads,
                                         ModelUse use) {
  auto model = LanguageModel::Open(path, threads);
  for (const std::string& note : model->notes()) PrintNote(note);
  if (use == ModelUse::kText) return model;
  for (const std::string& note : model->chat_notes()) PrintNote(note);
  return model;
}

void AddModelOption(CLI::App& command, ModelOptions& options, WithoutModel without) {
  CLI::Option* option =
      command
          .add_option("--model", options.named,
                      "The model: a .gguf file, a folder with config.json and safetensors, or the "
                      "name of one that was added (tome model add)")
          ->type_name("PATH|NAME");
  if (without == WithoutModel::kDefault) option->default_str("the default of tome model list");
}

std::filesystem::path ModelNamed(const std::string& word) {
  std::error_code error;
  if (std::filesystem::exists(word, error)) return word;
  const bool may_be_name = IsModelName(word);
  if (may_be_name) {
    const Config config = ReadConfig(Library::DefaultHome());
    if (config.models.contains(word)) return PathOf(config, word, "the model");
  }
  throw Error(Code::kNotFound,
              fmt::format("{}: there is no such file or folder{}", word,
                          may_be_name ? ", and no model of that name was added; `tome model list` "
                                        "shows those that were"
                                      : ""));
}

std::optional<std::filesystem::path> FindModel(const ModelOptions& options) {
  if (!options.named.empty()) return ModelNamed(options.named);
  const Config config = ReadConfig(Library::DefaultHome());
  if (config.default_model.empty()) return std::nullopt;
  return PathOf(config, config.default_model, "the default model");
}

std::filesystem::path NeedModel(const ModelOptions& options) {
  if (auto path = FindModel(options)) return *std::move(path);
  throw CLI::ValidationError("--model",
                             "a model is needed; name one with --model PATH, or make one the "
                             "default with `tome model add PATH --default`");
}

void AddKvOption(CLI::App& command, std::optional<KvType>& kv) {
  const std::string_view standard = kv ? NameOf(*kv) : "f16, or bf16 where the processor has it";
  command
      .add_option_function<std::string>(
          "--kv", [&kv](const std::string& name) { kv = KvTypeFromName(name).value(); },
          "Type in which keys and values are remembered; q8 and q4 take a half and a quarter of "
          "the memory of f16, at a loss (tome bench kv)")
      ->check(CLI::IsMember(KvNames()))
      ->default_str(std::string(standard));
}

void AddKvListOption(CLI::App& command, std::vector<KvType>& types) {
  std::string standard;
  for (const KvType type : types) {
    standard += (standard.empty() ? "" : ",") + std::string(NameOf(type));
  }
  command
      .add_option_function<std::vector<std::string>>(
          "--kv",
          [&types](const std::vector<std::string>& names) {
            types.clear();
            for (const std::string& name : names) types.push_back(KvTypeFromName(name).value());
          },
          "Types in which keys and values are remembered; several with commas")
      ->check(CLI::IsMember(KvNames()))
      ->delimiter(',')
      ->default_str(standard);
}

void AddMemoryOption(CLI::App& command, std::optional<int64_t>& resident_bytes,
                     std::filesystem::path& spill_folder) {
  command
      .add_option_function<uint64_t>(
          "--memory",
          [&](const uint64_t bytes) {
            constexpr uint64_t kMost = INT64_MAX;
            resident_bytes = static_cast<int64_t>(std::min(bytes, kMost));
            spill_folder = Library::DefaultHome() / "spill";
          },
          "Keys and values that stay in RAM at most, as 4G; the others lie in a file in the "
          "library's folder while the command runs")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
}

void AddAttentionOption(CLI::App& command, std::optional<double>& mass) {
  command
      .add_option_function<std::string>(
          "--attention", [&mass](const std::string& text) { mass = AttentionMass(text); },
          "exact, or sparse: tokens attend the pages that hold at least "
          "the share MASS of their attention by an estimate; faster in long contexts, at a loss")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return AttentionMass(text) ? std::string()
                                       : "exact, sparse or sparse=MASS (above 0, at most 1) is "
                                         "wanted, not " +
                                             text;
          },
          ""))
      ->default_str("exact")
      ->type_name("exact|sparse[=MASS]");
}

void AddLongerOption(CLI::App& command, std::optional<ContextExtension>& longer) {
  std::vector<std::string> names;
  for (const ContextExtension way :
       {ContextExtension::kDca, ContextExtension::kYarn, ContextExtension::kNone}) {
    names.emplace_back(NameOf(way));
  }
  command
      .add_option_function<std::string>(
          "--longer",
          [&longer](const std::string& name) { longer = ContextExtensionFromName(name); },
          "Read texts that are longer than the model was made for: by Dual Chunk Attention, by "
          "YaRN, or with nothing done about it; shorter texts are read as ever")
      ->check(CLI::IsMember(names))
      ->default_str("what the model itself has");
}

void AddStreamingOptions(CLI::App& command, int64_t& window, int64_t& sinks) {
  constexpr int64_t kStandardSinks = 64;
  CLI::Option* option =
      command
          .add_option_function<int64_t>(
              "--window",
              [&window, &sinks](int64_t tokens) {
                window = tokens;
                sinks = kStandardSinks;  // replaced by --sinks, whose callback runs later
              },
              "Read and write without end, at constant memory: tokens see the last N and the "
              "first --sinks tokens, in pages of 64; what lies between is forgotten")
          ->check(CLI::Range(1, 1 << 30))
          ->default_str("nothing is forgotten")
          ->type_name("N");
  command
      .add_option_function<int64_t>(
          "--sinks", [&sinks](int64_t tokens) { sinks = tokens; },
          "Tokens of the beginning that --window keeps")
      ->check(CLI::Range(0, 1 << 30))
      ->needs(option)
      ->default_str("64")
      ->type_name("K");
}

void AddSamplingOptions(CLI::App& command, SamplingOptions& options) {
  command
      .add_option("--temperature", options.temperature, "Randomness; 0 always takes the likeliest")
      ->capture_default_str()
      ->type_name("X");
  command.add_option("--top-k", options.top_k, "Choose among the K likeliest tokens; 0: all")
      ->capture_default_str()
      ->type_name("K");
  command
      .add_option("--top-p", options.top_p, "Choose among the likeliest that make up this share")
      ->capture_default_str()
      ->type_name("P");
  command
      .add_option("--min-p", options.min_p, "Leave out tokens below this share of the likeliest's")
      ->capture_default_str()
      ->type_name("P");
  command
      .add_option("--repetition-penalty", options.repetition_penalty,
                  "Makes tokens of late unlikelier; 1: does not")
      ->capture_default_str()
      ->type_name("X");
  command.add_option("--seed", options.seed, "The same seed gives the same text")
      ->capture_default_str()
      ->type_name("N");
}

void AddThreadsOption(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "Threads to compute with (default: all processors)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
}

}  // namespace tome
