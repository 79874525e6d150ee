// The command line as plain data, read from the declaration of the CLI11 app. The manual page and
// the shells' completions are both made from it.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace tome {

struct OptionModel {
  std::vector<std::string> names;  // "--json", "-h"; empty for a positional
  std::string positional;          // "FILE…"; empty for an option
  std::string description;
  std::string value;                 // "N"; empty for a flag
  std::vector<std::string> choices;  // all allowed values; empty: any value
  std::string default_value;
};

struct CommandModel {
  std::vector<std::string> path;  // {"tome", "library", "add"}
  std::string description;
  std::string footer;  // notes and examples
  std::vector<OptionModel> options;
  std::vector<CommandModel> commands;
};

CommandModel ModelOf(const CLI::App& app);

// Returns `model` and all commands below it, outermost first.
std::vector<const CommandModel*> Flatten(const CommandModel& model);

}  // namespace tome
