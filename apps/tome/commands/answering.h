// What `ask`, `chat` and `plan` share: the options of answers that a model writes.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "commands/model_options.h"
#include "tome/answer/conversation.h"

namespace tome {

// --way NAME.
void AddWayOption(CLI::App& command, std::string& way);
Way WayOf(const std::string& name);

// The model to answer with: the one named or the default one. Nothing with `quotes`, and with
// `auto` where there is none, which is `quotes` then; wrong usage with other ways.
std::optional<std::filesystem::path> ModelForWay(const std::string& way, const ModelOptions& model);

// Those that decide which way `auto` takes.
void AddPlanningOptions(CLI::App& command, ModelAnswerOptions& answering);
// All of them.
void AddAnsweringOptions(CLI::App& command, ModelOptions& model, ModelAnswerOptions& answering);

}  // namespace tome
