#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/base/error.h"
#include "tome/library/config.h"
#include "tome/library/library.h"
#include "tome/models/registry.h"
#include "tome/models/tokenizer_of.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct ModelCommand {
  std::string model;
  std::string name;
  std::vector<std::string> names;
  bool make_default = false;
  bool json = false;
};

bool IsThere(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool IsDefault(const Config& config, const std::string& name) {
  return name == config.default_model || name == config.default_embedder;
}

ordered_json ToJson(const Config& config, const std::string& name) {
  const std::filesystem::path& path = config.models.at(name);
  return {{"name", name},
          {"path", path.string()},
          {"default", IsDefault(config, name)},
          {"found", IsThere(path)}};
}

// The two kinds of models: those that write and those that embed.
enum class ModelKind { kLanguage, kEmbedding };

// Checks everything of a model but its computing, so that a model that cannot be run is refused
// when it is added and not when it is first asked. Returns its kind.
ModelKind CheckCanRun(const std::filesystem::path& path) {
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::Open(path));
  // `generic`, the last kernel set, takes weights as they are stored, so that none is packed.
  ThreadPool threads(1);
  const Compute compute{*AvailableKernelSets().back(), threads};
  TokenizerOf(*checkpoint);
  if (IsEncoder(*checkpoint)) {
    LoadEncoder(checkpoint, EncoderWeights::kAsStored, compute);
    return ModelKind::kEmbedding;
  }
  LoadModel(checkpoint, compute);
  return ModelKind::kLanguage;
}

// Returns the name of a model that was added without one: a file's name without ".gguf", or a
// folder's whole name.
std::string NameFor(const std::filesystem::path& path) {
  return (path.extension() == ".gguf" ? path.stem() : path.filename()).string();
}

void AddTo(Config& config, const std::string& name, const std::filesystem::path& path,
           const ModelCommand& command, ModelKind kind) {
  const auto [entry, is_new] = config.models.try_emplace(name, path);
  // A model whose file is gone gives up its name.
  if (!is_new && entry->second != path && IsThere(entry->second)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: a model of the name {} is there already, {}; give this one "
                            "another name with --name, or remove that one with `tome model "
                            "remove {}`",
                            path.string(), name, entry->second.string(), name));
  }
  entry->second = path;
  if (!command.make_default) return;
  (kind == ModelKind::kEmbedding ? config.default_embedder : config.default_model) = name;
}

void Add(const ModelCommand& command, const CommandContext&) {
  const std::filesystem::path home = Library::DefaultHome();
  std::filesystem::path path =
      std::filesystem::absolute(ModelNamed(command.model)).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // of "folder/"
  const ModelKind kind = CheckCanRun(path);
  std::string name = command.name;
  Config config;
  ChangeConfig(home, [&](Config& changed) {
    // A model that was added before keeps its name unless it is given another.
    for (const auto& [other, its_path] : changed.models) {
      if (name.empty() && its_path == path) name = other;
    }
    if (name.empty()) name = NameFor(path);
    AddTo(changed, name, path, command, kind);
    config = changed;
  });
  const bool is_default = IsDefault(config, name);
  if (command.json) return PrintJson(ToJson(config, name));
  fmt::print("{}{} {}\n", PrintableLine(name), is_default ? " (default)" : "",
             PrintableLine(path.string()));
  std::fflush(stdout);  // before the note
  if (kind == ModelKind::kLanguage && config.default_model.empty()) {
    PrintNote(
        fmt::format("note: no model is the default yet; `tome model add {} --default` "
                    "makes this one so",
                    name));
  }
}

void List(const ModelCommand& command, const CommandContext&) {
  const std::filesystem::path home = Library::DefaultHome();
  const Config config = ReadConfig(home);
  if (command.json) {
    ordered_json models = ordered_json::array();
    for (const auto& [name, path] : config.models) models.push_back(ToJson(config, name));
    return PrintJson({{"config", ConfigFile(home).string()}, {"models", std::move(models)}});
  }
  for (const auto& [name, path] : config.models) {
    fmt::print("{} {}{}\n", Styled(PrintableLine(name), Style::kBold, STDOUT_FILENO),
               IsDefault(config, name) ? "(default) " : "",
               PrintableLine(path.string() + (IsThere(path) ? "" : " (is gone)")));
  }
}

void Remove(const ModelCommand& command, const CommandContext&) {
  const std::filesystem::path home = Library::DefaultHome();
  ordered_json removed = ordered_json::array();
  ChangeConfig(home, [&](Config& config) {
    for (const std::string& name : command.names) {
      if (!config.models.contains(name)) {
        throw Error(Code::kNotFound,
                    fmt::format("{}: no model of that name was added; `tome model list` shows "
                                "those that were",
                                name));
      }
      removed.push_back(ToJson(config, name));
      if (config.default_model == name) config.default_model.clear();
      if (config.default_embedder == name) config.default_embedder.clear();
      config.models.erase(name);
    }
  });
  if (command.json) return PrintJson({{"models", std::move(removed)}});
  for (const ordered_json& model : removed) {
    fmt::print("{} removed; its file stays: {}\n",
               PrintableLine(model.at("name").get<std::string>()),
               PrintableLine(model.at("path").get<std::string>()));
    if (!model.at("default").get<bool>()) continue;
    std::fflush(stdout);  // before the note
    PrintNote("note: it was the default; no model is now");
  }
}

// Declares one subcommand of `model`.
CLI::App* AddAction(CLI::App& model, const char* name, const char* description,
                    const std::shared_ptr<ModelCommand>& options, CommandContext& context,
                    void (*action)(const ModelCommand&, const CommandContext&)) {
  CLI::App* command = model.add_subcommand(name, description);
  command->callback([options, &context, action] {
    context.run = [options, &context, action] { action(*options, context); };
  });
  command->add_flag("--json", options->json, "Print one JSON object");
  return command;
}

}  // namespace

void AddModelCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ModelCommand>();
  CLI::App* model = app.add_subcommand("model", "The models that go by a name, and the default");
  model->require_subcommand(1);
  model->footer(
      "Commands that need a model take the default one where --model is not given; `ask` and "
      "`chat`\n"
      "then answer with it. What is set stands in config.toml in $TOME_HOME (default: the XDG "
      "data\n"
      "folder), which may be written by hand.\n"
      "Examples:\n  tome model add qwen3.gguf --default\n  tome model list");

  CLI::App* add = AddAction(*model, "add", "Let a model go by a name, or be the default", options,
                            context, Add);
  add->add_option("model", options->model,
                  "A .gguf file, a folder of safetensors, or the name of one that was added")
      ->required()
      ->type_name("MODEL");
  add->add_flag("--default", options->make_default,
                "Take it where --model, or for an embedding model --embedder, is not given");
  add->add_option("--name", options->name, "What it goes by (default: the file's name)")
      ->type_name("NAME");
  add->footer(
      "The file stays where it is. A model that Tome cannot run is refused.\nExamples:\n"
      "  tome model add ~/models/Qwen3-0.6B-Q8_0.gguf --name qwen3\n"
      "  tome model add qwen3 --default");

  CLI::App* list =
      AddAction(*model, "list", "List the models that were added", options, context, List);
  list->footer("Example:\n  tome model list --json | jq '.models[].path'");

  CLI::App* remove = AddAction(*model, "remove", "Forget models", options, context, Remove);
  remove->add_option("names", options->names, "Their names")->required()->type_name("NAME…");
  remove->footer("The files stay.\nExample:\n  tome model remove qwen3");
}

}  // namespace tome
