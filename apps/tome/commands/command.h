// A subcommand of tome is declared on the CLI11 app and run after parsing. Each has one file and no
// logic: it calls the library and prints.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <stop_token>

#include "interrupts.h"

namespace tome {

// Every command gets this from main.
struct CommandContext {
  const Interrupts& interrupts;
  std::stop_token stop;       // requested when the program is to end
  std::function<void()> run;  // set by the command that was given
};

void AddAskCommand(CLI::App& app, CommandContext& context);
void AddBenchCommand(CLI::App& app, CommandContext& context);
void AddBenchKvCommand(CLI::App& bench, CommandContext& context);  // below `bench`
void AddBenchMemoryCommand(CLI::App& bench, CommandContext& context);
void AddChatCommand(CLI::App& app, CommandContext& context);
void AddConvertCommand(CLI::App& app, CommandContext& context);
void AddEmbedCommand(CLI::App& app, CommandContext& context);
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
