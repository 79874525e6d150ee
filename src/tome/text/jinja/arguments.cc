#include "tome/text/jinja/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "tome/text/jinja/failure.h"

namespace tome::jinja {

Bound::Bound(const Arguments& arguments, std::string_view function,
             std::initializer_list<const char*> names, size_t required)
    : function_(function), names_(names.begin(), names.end()), values_(names.size()) {
  if (arguments.positional.size() > names_.size()) {
    Fail(fmt::format("{}() takes at most {} arguments, {} were given", function_, names_.size(),
                     arguments.positional.size()));
  }
  std::copy(arguments.positional.begin(), arguments.positional.end(), values_.begin());
  for (const auto& [name, value] : arguments.keyword) {
    const auto place = std::find(names_.begin(), names_.end(), name);
    if (place == names_.end()) Fail(fmt::format("{}() has no argument '{}'", function_, name));
    std::optional<Value>& slot = values_[static_cast<size_t>(place - names_.begin())];
    if (slot) Fail(fmt::format("{}() was given '{}' twice", function_, name));
    slot = value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (!values_[i]) Fail(fmt::format("{}() needs an argument '{}'", function_, names_[i]));
  }
}

const Value& Bound::Get(size_t index) const {
  static const Value kMissing;
  return values_[index] ? *values_[index] : kMissing;
}

int64_t Bound::Int(size_t index, int64_t fallback) const {
  if (!IsGiven(index)) return fallback;
  const Value& value = *values_[index];
  if (value.Is<int64_t>()) return value.As<int64_t>();
  if (value.Is<bool>()) return value.As<bool>() ? 1 : 0;
  Fail(fmt::format("{}(): '{}' must be an int, it is a {}", function_, names_[index],
                   TypeName(value)));
}

bool Bound::Truth(size_t index, bool fallback) const {
  return Has(index) ? Truthy(*values_[index]) : fallback;
}

const MarkedText* Bound::Text(size_t index) const {
  if (!IsGiven(index)) return nullptr;
  const MarkedText* text = values_[index]->text();
  if (text == nullptr) {
    Fail(fmt::format("{}(): '{}' must be a str, it is a {}", function_, names_[index],
                     TypeName(*values_[index])));
  }
  return text;
}

}  // namespace tome::jinja
