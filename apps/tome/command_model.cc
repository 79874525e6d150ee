#include "command_model.h"

namespace tome {
namespace {

// CLI11 writes the values of a closed choice into the type name: "TEXT:{auto,quotes}".
std::vector<std::string> ChoicesOf(const std::string& type_name) {
  std::vector<std::string> choices;
  const size_t open = type_name.find('{');
  const size_t close = type_name.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  for (const std::string& choice :
       CLI::detail::split(type_name.substr(open + 1, close - open - 1), ',')) {
    choices.push_back(choice);
  }
  return choices;
}

OptionModel ModelOf(const CLI::Option& option) {
  OptionModel model;
  const std::string type = option.get_type_name();
  const std::string value = type.substr(0, type.find_first_of(":{ "));
  for (const std::string& name : option.get_snames()) model.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) model.names.push_back("--" + name);
  if (model.names.empty()) model.positional = type.substr(0, type.find(":{"));
  model.description = option.get_description();
  model.choices = ChoicesOf(type);
  model.default_value = option.get_default_str();
  if (option.get_items_expected_max() > 0 && !model.names.empty()) {
    model.value = model.choices.empty() ? (value.empty() ? "VALUE" : value) : "WORD";
  }
  return model;
}

CommandModel ModelOf(const CLI::App& app, std::vector<std::string> path) {
  path.push_back(app.get_name());
  CommandModel model{.path = path,
                     .description = app.get_description(),
                     .footer = app.get_footer(),
                     .options = {},
                     .commands = {}};
  for (const CLI::Option* option : app.get_options()) model.options.push_back(ModelOf(*option));
  // An empty group name hides a command.
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) {
    model.commands.push_back(ModelOf(*command, path));
  }
  return model;
}

void AppendFlat(const CommandModel& model, std::vector<const CommandModel*>& flat) {
  flat.push_back(&model);
  for (const CommandModel& command : model.commands) AppendFlat(command, flat);
}

}  // namespace

CommandModel ModelOf(const CLI::App& app) { return ModelOf(app, {}); }

std::vector<const CommandModel*> Flatten(const CommandModel& model) {
  std::vector<const CommandModel*> flat;
  AppendFlat(model, flat);
  return flat;
}

}  // namespace tome
