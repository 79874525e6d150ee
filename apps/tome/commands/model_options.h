// The options of commands that run a model: which model, how many threads, how tokens are chosen.
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
  std::string named;  // by --model: a path, or the name of an added model; may be empty
};

// Says what a command uses where --model is not given: the default model of config.toml, or no
// model.
enum class WithoutModel { kDefault, kNone };
void AddModelOption(CLI::App& command, ModelOptions& options, WithoutModel without);

// Returns the model that `word` names: an existing file or folder, or else a model that was added.
// Throws Error(kNotFound) where it names neither, and where the file of an added model is gone.
std::filesystem::path ModelNamed(const std::string& word);
// Returns the model that --model names, or else the default one. Empty where there is neither.
std::optional<std::filesystem::path> FindModel(const ModelOptions& options);
// Returns the same for commands that need a model. A missing model is wrong usage.
std::filesystem::path NeedModel(const ModelOptions& options);

// Says what a model is opened for. Notes about conversation are shown for kConversation only.
enum class ModelUse { kText, kConversation };
// Opens the model and prints its notes on stderr (LanguageModel::notes and, for a conversation,
// chat_notes).
std::unique_ptr<LanguageModel> OpenModel(const std::filesystem::path& path, int threads,
                                         ModelUse use);

void AddKvOption(CLI::App& command, std::optional<KvType>& kv);
// Adds --kv with several types, separated by commas.
void AddKvListOption(CLI::App& command, std::vector<KvType>& types);
// Adds --attention exact|sparse[=MASS], which sets MemoryOptions::attention_mass.
void AddAttentionOption(CLI::App& command, std::optional<double>& mass);
// Adds --memory SIZE, which sets MemoryOptions::resident_bytes. The spill folder lies in the
// library's folder.
void AddMemoryOption(CLI::App& command, std::optional<int64_t>& resident_bytes,
                     std::filesystem::path& spill_folder);
// Adds --longer dca|yarn|none, which sets MemoryOptions::longer.
void AddLongerOption(CLI::App& command, std::optional<ContextExtension>& longer);
// Adds --window N and --sinks K, which set the members of these names in MemoryOptions.
void AddStreamingOptions(CLI::App& command, int64_t& window, int64_t& sinks);
void AddSamplingOptions(CLI::App& command, SamplingOptions& options);
void AddThreadsOption(CLI::App& command, int& threads);

}  // namespace tome
