// The command line as plain data, read off the CLI11 app: the one source of the manual page and of
// the shells' completions.
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
  std::vector<std::string> choices;  // all values it takes; empty where anything goes
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

// `model` and all commands below it, outermost first.
std::vector<const CommandModel*> Flatten(const CommandModel& model);

}  // namespace tome
