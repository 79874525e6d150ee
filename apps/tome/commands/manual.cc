#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "command_model.h"
#include "commands/command.h"

namespace tome {
namespace {

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// Escapes text for roff (man(7)): backslashes, hyphens, and lines that would begin like a request.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string OptionText(const OptionModel& option) {
  std::string head;
  if (!option.positional.empty()) {
    head = fmt::format("\\fI{}\\fR", Roff(option.positional));
  } else {
    for (const std::string& name : option.names) {
      head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", Roff(name));
    }
    if (!option.value.empty()) head += fmt::format(" \\fI{}\\fR", Roff(option.value));
  }
  std::string text = fmt::format(".TP\n{}\n{}", head, Roff(option.description));
  if (!option.choices.empty()) text += Roff(fmt::format(" ({})", fmt::join(option.choices, ", ")));
  if (!option.default_value.empty())
    text += Roff(fmt::format(" [default: {}]", option.default_value));
  return text + "\n";
}

std::string Synopsis(const CommandModel& command) {
  std::string line = fmt::format("\\fB{}\\fR", fmt::join(command.path, " "));
  if (!command.commands.empty()) line += " \\fICOMMAND\\fR";
  for (const OptionModel& option : command.options) {
    if (!option.positional.empty()) line += fmt::format(" \\fI{}\\fR", Roff(option.positional));
  }
  return line + " [\\fIOPTION\\fR…]";
}

std::string Manual(const CommandModel& model) {
  std::string page = fmt::format(
      ".TH TOME 1 \"\" \"Tome\" \"User Commands\"\n.SH NAME\ntome \\- {}\n.SH SYNOPSIS\n",
      Roff(model.description));
  for (const CommandModel& command : model.commands)
    page += fmt::format("{}\n.br\n", Synopsis(command));
  page += fmt::format(".SH DESCRIPTION\n.nf\n{}\n.fi\n", Roff(model.footer));
  page += ".SH OPTIONS\n";
  for (const OptionModel& option : model.options) page += OptionText(option);
  for (const CommandModel* command : Flatten(model)) {
    if (command->path.size() < 2) continue;
    page += fmt::format(
        ".SH {}\n{}\n.PP\n{}.\n",
        Upper(fmt::format("{}", fmt::join(command->path.begin() + 1, command->path.end(), " "))),
        Synopsis(*command), Roff(command->description));
    for (const OptionModel& option : command->options) page += OptionText(option);
    if (!command->footer.empty()) page += fmt::format(".PP\n.nf\n{}\n.fi\n", Roff(command->footer));
  }
  page +=
      ".SH EXIT STATUS\n0: done. 1: failed. 2: wrong usage. 130: interrupted.\n"
      ".SH ENVIRONMENT\n"
      ".TP\nTOME_HOME\nFolder of the library and of config.toml (default: $XDG_DATA_HOME/tome, "
      "else "
      "~/.local/share/tome).\n"
      ".TP\nNO_COLOR\nNo colours, even on a terminal.\n"
      ".TP\nTOME_READER\nThe program that parses documents (default: tome\\-reader beside tome).\n";
  return page;
}

}  // namespace

void AddManualCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("manual", "Print the manual page, as man(7) source");
  command->footer("Example:\n  tome manual | man -l -");
  command->callback(
      [&app, &context] { context.run = [&app] { fmt::print("{}", Manual(ModelOf(app))); }; });
}

}  // namespace tome
