#include <fmt/format.h>

#include <memory>
#include <string>

#include "command_model.h"
#include "commands/command.h"

namespace tome {
namespace {

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

// Returns the words of a command's path after "tome" as one key: "library add".
std::string KeyOf(const CommandModel& command) {
  return Join({command.path.begin() + 1, command.path.end()}, " ");
}

std::vector<std::string> OptionNames(const CommandModel& command) {
  std::vector<std::string> names;
  for (const OptionModel& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> CommandNames(const CommandModel& command) {
  std::vector<std::string> names;
  for (const CommandModel& sub : command.commands) names.push_back(sub.path.back());
  return names;
}

// Returns `text` in single quotes for a shell.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string Bash(const CommandModel& model) {
  std::string script =
      "# bash completion for tome: tome completions bash > "
      "~/.local/share/bash-completion/completions/tome\n"
      "_tome() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} key='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$key ${COMP_WORDS[i]}\" in\n";
  for (const CommandModel* command : Flatten(model)) {
    if (command->path.size() < 2) continue;
    const std::string key = KeyOf(*command);
    const size_t last = key.rfind(' ');
    script += fmt::format(
        "      {}) key={} ;;\n",
        Quoted((last == std::string::npos ? "" : key.substr(0, last)) + " " + command->path.back()),
        Quoted(key));
  }
  script +=
      "    esac\n"
      "  done\n"
      "  local words=''\n"
      "  case \"$key $previous\" in\n";
  for (const CommandModel* command : Flatten(model)) {
    for (const OptionModel& option : command->options) {
      if (option.choices.empty()) continue;
      for (const std::string& name : option.names) {
        script +=
            fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n",
                        Quoted(KeyOf(*command) + " " + name), Quoted(Join(option.choices, " ")));
      }
    }
  }
  script +=
      "  esac\n"
      "  case \"$key\" in\n";
  for (const CommandModel* command : Flatten(model)) {
    std::vector<std::string> words = CommandNames(*command);
    for (const OptionModel& option : command->options) {
      if (!option.positional.empty()) {
        words.insert(words.end(), option.choices.begin(), option.choices.end());
      }
    }
    for (const std::string& name : OptionNames(*command)) words.push_back(name);
    script +=
        fmt::format("    {}) words={} ;;\n", Quoted(KeyOf(*command)), Quoted(Join(words, " ")));
  }
  script +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  if [[ $word != -* ]]; then\n"
      "    local files\n"
      "    mapfile -t files < <(compgen -f -- \"$word\")\n"
      "    compopt -o filenames\n"
      "    COMPREPLY+=(\"${files[@]}\")\n"
      "  fi\n"
      "}\n"
      "complete -F _tome tome\n";
  return script;
}

// Escapes text for a zsh _arguments specification, where brackets and colons have a meaning.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshFunctionName(const CommandModel& command) { return "_" + Join(command.path, "_"); }

std::string Zsh(const CommandModel& model) {
  std::string script =
      "#compdef tome\n# zsh completion for tome: tome completions zsh > \"${fpath[1]}/_tome\"\n";
  for (const CommandModel* command : Flatten(model)) {
    script += fmt::format("{}() {{\n", ZshFunctionName(*command));
    if (!command->commands.empty()) script += "  local context state line\n";
    script += "  _arguments -C";
    for (const OptionModel& option : command->options) {
      if (!option.positional.empty()) {
        script += fmt::format(
            " \\\n    {}",
            Quoted("*:" + ZshText(option.positional) + ":" +
                   (option.choices.empty() ? "_files" : "(" + Join(option.choices, " ") + ")")));
        continue;
      }
      const std::string value =
          option.value.empty()
              ? ""
              : ":" + ZshText(option.value) + ":" +
                    (option.choices.empty() ? "" : "(" + Join(option.choices, " ") + ")");
      for (const std::string& name : option.names) {
        script += fmt::format(" \\\n    {}",
                              Quoted(name + "[" + ZshText(option.description) + "]" + value));
      }
    }
    if (!command->commands.empty()) {
      script +=
          " \\\n    '1: :->command' '*::argument:->arguments'\n  case $state in\n    command)\n    "
          "  local -a commands=(";
      for (const CommandModel& sub : command->commands) {
        script += " " + Quoted(sub.path.back() + ":" + ZshText(sub.description));
      }
      script += " )\n      _describe command commands ;;\n    arguments)\n      case $line[1] in\n";
      for (const CommandModel& sub : command->commands) {
        script += fmt::format("        {}) {} ;;\n", sub.path.back(), ZshFunctionName(sub));
      }
      script += "      esac ;;\n  esac\n";
    } else {
      script += "\n";
    }
    script += "}\n";
  }
  return script + "_tome \"$@\"\n";
}

std::string Fish(const CommandModel& model) {
  std::string script =
      "# fish completion for tome: tome completions fish > ~/.config/fish/completions/tome.fish\n";
  for (const CommandModel* command : Flatten(model)) {
    std::string condition;
    if (command->path.size() == 1) {
      condition = "not __fish_seen_subcommand_from " + Join(CommandNames(*command), " ");
    } else {
      for (size_t i = 1; i < command->path.size(); ++i) {
        condition += fmt::format("{}__fish_seen_subcommand_from {}", i > 1 ? "; and " : "",
                                 command->path[i]);
      }
      if (!command->commands.empty()) {
        condition += "; and not __fish_seen_subcommand_from " + Join(CommandNames(*command), " ");
      }
    }
    for (const CommandModel& sub : command->commands) {
      script += fmt::format("complete -c tome -f -n {} -a {} -d {}\n", Quoted(condition),
                            sub.path.back(), Quoted(sub.description));
    }
    for (const OptionModel& option : command->options) {
      std::string line = fmt::format("complete -c tome -n {}", Quoted(condition));
      if (!option.positional.empty()) {
        if (option.choices.empty()) continue;
        script += fmt::format("{} -f -a {}\n", line, Quoted(Join(option.choices, " ")));
        continue;
      }
      for (const std::string& name : option.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.value.empty()) line += " -x";
      if (!option.choices.empty()) line += " -a " + Quoted(Join(option.choices, " "));
      script += fmt::format("{} -d {}\n", line, Quoted(option.description));
    }
  }
  return script;
}

}  // namespace

void AddCompletionsCommand(CLI::App& app, CommandContext& context) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completions", "Print the completions of a shell");
  command->add_option("shell", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  command->footer(
      "Example:\n  tome completions bash > ~/.local/share/bash-completion/completions/tome");
  command->callback([&app, shell, &context] {
    context.run = [&app, shell] {
      const CommandModel model = ModelOf(app);
      fmt::print("{}", *shell == "bash" ? Bash(model) : *shell == "zsh" ? Zsh(model) : Fish(model));
    };
  });
}

}  // namespace tome
