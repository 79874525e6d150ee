// The options of answers that a model writes. `ask`, `chat` and `plan` share them.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>
#include <string>

#include "commands/model_options.h"
#include "tome/answer/conversation.h"

namespace tome {

// Adds --way NAME.
void AddWayOption(CLI::App& command, std::string& way);
Way WayOf(const std::string& name);

// Returns the model to answer with: the named one, or else the default one. Empty with `quotes`,
// and with `auto` where there is no model, since `auto` takes `quotes` then. With other ways a
// missing model is wrong usage.
std::optional<std::filesystem::path> ModelForWay(const std::string& way, const ModelOptions& model);

// Adds the options that decide which way `auto` takes.
void AddPlanningOptions(CLI::App& command, ModelAnswerOptions& answering);
// Adds --model, the planning options and the sampling options.
void AddAnsweringOptions(CLI::App& command, ModelOptions& model, ModelAnswerOptions& answering);

}  // namespace tome
