// What `ask`, `chat` and `plan` share: the options of answers that a model writes.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "commands/model_options.h"
#include "tome/answer/conversation.h"

namespace tome {

// --way NAME.
void AddWayOption(CLI::App& command, std::string& way);
Way WayOf(const std::string& name);

// Wrong usage when the way needs a model and none was named.
void CheckWayHasModel(const std::string& way, const ModelOptions& model);

// Those that decide which way `auto` takes.
void AddPlanningOptions(CLI::App& command, ModelAnswerOptions& answering);
// All of them.
void AddAnsweringOptions(CLI::App& command, ModelOptions& model, ModelAnswerOptions& answering);

}  // namespace tome
