// A subcommand of tome: declared on the CLI11 app, run after parsing. One file a command, no logic:
// each calls the library and prints.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stop_token>

#include "interrupts.h"

namespace tome {

// What every command gets from main.
struct CommandContext {
  const Interrupts& interrupts;
  std::stop_token stop;       // of the program, requested by Ctrl-C
  std::function<void()> run;  // set by the command that was given
};

void AddAskCommand(CLI::App& app, CommandContext& context);
void AddBenchCommand(CLI::App& app, CommandContext& context);
void AddBenchKvCommand(CLI::App& bench, CommandContext& context);  // of `bench`
void AddBenchMemoryCommand(CLI::App& bench, CommandContext& context);
void AddChatCommand(CLI::App& app, CommandContext& context);
void AddConvertCommand(CLI::App& app, CommandContext& context);
void AddInspectCommand(CLI::App& app, CommandContext& context);
void AddGenerateCommand(CLI::App& app, CommandContext& context);
void AddLogitsCommand(CLI::App& app, CommandContext& context);
void AddTokenizeCommand(CLI::App& app, CommandContext& context);
void AddPlanCommand(CLI::App& app, CommandContext& context);
void AddReadCommand(CLI::App& app, CommandContext& context);
void AddTextCommand(CLI::App& app, CommandContext& context);
void AddLibraryCommand(CLI::App& app, CommandContext& context);
void AddModelCommand(CLI::App& app, CommandContext& context);
void AddCompletionsCommand(CLI::App& app, CommandContext& context);
void AddManualCommand(CLI::App& app, CommandContext& context);

}  // namespace tome
