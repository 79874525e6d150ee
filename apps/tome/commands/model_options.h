// What the commands that run a model share: which model, how many threads, how tokens are chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/command.h"
#include "tome/generate/language_model.h"
#include "tome/generate/sampler.h"

namespace tome {

struct ModelOptions {
  std::string named;  // by --model: a path, or the name of a model that was added; empty: not
};

// --model. Where it is not given, kDefault means the default model of config.toml, and kNone none.
enum class WithoutModel { kDefault, kNone };
void AddModelOption(CLI::App& command, ModelOptions& options, WithoutModel without);

// What `word` names: a file or folder that is there, else a model that was added. Error(kNotFound)
// for neither, and where the file of one that was added is gone.
std::filesystem::path ModelNamed(const std::string& word);
// The model that --model names, else the default one; nothing where there is none.
std::optional<std::filesystem::path> FindModel(const ModelOptions& options);
// The same for commands that need one: wrong usage where there is none.
std::filesystem::path NeedModel(const ModelOptions& options);

// What a model is opened for: notes about conversation are for those who hold one.
enum class ModelUse { kText, kConversation };
// Opens the model and says on stderr what its reader should know (LanguageModel::notes).
std::unique_ptr<LanguageModel> OpenModel(const std::filesystem::path& path, int threads,
                                         ModelUse use);

void AddKvOption(CLI::App& command, std::optional<KvType>& kv);
// The same for several, with commas.
void AddKvListOption(CLI::App& command, std::vector<KvType>& types);
// --attention exact|sparse[=MASS], as MemoryOptions::attention_mass.
void AddAttentionOption(CLI::App& command, std::optional<double>& mass);
// --memory SIZE, as MemoryOptions::resident_bytes; the file lies in the library's folder.
void AddMemoryOption(CLI::App& command, std::optional<int64_t>& resident_bytes,
                     std::filesystem::path& spill_folder);
// --longer dca|yarn|none, as MemoryOptions::longer.
void AddLongerOption(CLI::App& command, std::optional<ContextExtension>& longer);
// --window N --sinks K, as MemoryOptions has them.
void AddStreamingOptions(CLI::App& command, int64_t& window, int64_t& sinks);
void AddSamplingOptions(CLI::App& command, SamplingOptions& options);
void AddThreadsOption(CLI::App& command, int& threads);

}  // namespace tome
