#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/interpreter.h"

namespace tome::jinja {

Value Interpreter::MakeMacro(const MacroDefinition& macro) {
  return heap_.NewCallable(
      macro.name, [&macro, scope = scope_](Interpreter& interpreter, Arguments& arguments) {
        return interpreter.CallMacro(macro, scope, arguments);
      });
}

// Parameters take positional arguments, then named ones, then their defaults, which may use the
// parameters before them. The remaining arguments go to varargs and kwargs where the body uses
// these.
void Interpreter::BindParameters(const MacroDefinition& macro, Arguments& arguments) {
  auto& variables = scope_->variables;
  std::vector<bool> used(arguments.keyword.size());
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < used.size(); ++i) {
    const std::string& name = arguments.keyword[i].first;
    if (!places.emplace(name, i).second) {
      Fail(fmt::format("{}() was given '{}' twice", macro.name, name));
    }
  }
  const auto take = [&](std::string_view name) -> const Value* {
    const auto place = places.find(name);
    if (place == places.end()) return nullptr;
    used[place->second] = true;
    return &arguments.keyword[place->second].second;
  };
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const MacroDefinition::Parameter& parameter = macro.parameters[i];
    const Value* named = take(parameter.name);
    if (i < arguments.positional.size()) {
      if (named != nullptr) {
        Fail(fmt::format("{}() was given '{}' twice", macro.name, parameter.name));
      }
      variables[parameter.name] = arguments.positional[i];
    } else if (named != nullptr) {
      variables[parameter.name] = *named;
    } else if (parameter.fallback != nullptr) {
      variables[parameter.name] = Evaluate(*parameter.fallback);
    } else {
      variables[parameter.name] = Undefined{parameter.name};
    }
  }
  if (macro.uses_caller) {
    const Value* caller = take("caller");
    variables["caller"] = caller == nullptr ? Value(Undefined{"caller"}) : *caller;
  }
  const size_t taken = std::min(macro.parameters.size(), arguments.positional.size());
  if (macro.uses_varargs) {
    List* rest = heap_.NewTuple(Origin::kTemplate);
    for (size_t i = taken; i < arguments.positional.size(); ++i) {
      heap_.Append(*rest, arguments.positional[i]);
    }
    variables["varargs"] = Value(rest);
  } else if (taken < arguments.positional.size()) {
    Fail(fmt::format("{}() takes at most {} arguments", macro.name, macro.parameters.size()));
  }
  Dict* rest = macro.uses_kwargs ? heap_.NewDict(Origin::kTemplate) : nullptr;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    const auto& [name, value] = arguments.keyword[i];
    if (rest == nullptr) Fail(fmt::format("{}() has no argument '{}'", macro.name, name));
    heap_.Set(*rest, name, value);
  }
  if (rest != nullptr) variables["kwargs"] = Value(rest);
}

Value Interpreter::CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& outer,
                             Arguments& arguments) {
  if (calls_ >= kMaxCallDepth) {
    FailLimit(fmt::format("macros call one another deeper than {} levels", kMaxCallDepth));
  }
  // State puts back what the call changes, even after an exception.
  struct State {
    Interpreter& self;
    std::shared_ptr<Scope> scope;
    MarkedText* out;
    ~State() {
      self.scope_ = std::move(scope);
      self.out_ = out;
      --self.calls_;
    }
  };
  MarkedText text;
  {
    const State state{*this, scope_, out_};
    ++calls_;
    out_ = &text;
    scope_ = PushScope(outer);
    BindParameters(macro, arguments);
    Execute(macro.body);
  }
  return heap_.NewText(std::move(text));
}

}  // namespace tome::jinja
