// What the commands that run a model share: which model, how many threads, how tokens are chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "commands/command.h"
#include "tome/generate/language_model.h"
#include "tome/generate/sampler.h"

namespace tome {

struct ModelOptions {
  std::string path;
  std::string kv = "f16";  // of keys and values: f16, f32

  KvType kv_type() const { return kv == "f32" ? KvType::kF32 : KvType::kF16; }
};

enum class ModelNeed { kOptional, kRequired };
CLI::Option* AddModelOption(CLI::App& command, ModelOptions& options, ModelNeed need);
void AddKvOption(CLI::App& command, ModelOptions& options);
void AddSamplingOptions(CLI::App& command, SamplingOptions& options);
void AddThreadsOption(CLI::App& command, int& threads);

}  // namespace tome
