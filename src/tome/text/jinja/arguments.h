// The arguments of a call, and their binding to the parameters of a built-in function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/text/jinja/value.h"

namespace tome::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keyword;
};

// Holds the arguments in the order of the parameters' names. The constructor throws where an
// argument has no parameter or is given twice, or one of the first `required` parameters has no
// argument.
class Bound {
 public:
  Bound(const Arguments& arguments, std::string_view function,
        std::initializer_list<const char*> names, size_t required = 0);

  bool Has(size_t index) const { return values_[index].has_value(); }
  // Returns the argument, or an undefined value where it was not given.
  const Value& Get(size_t index) const;
  // Return the argument, or `fallback` where it was not given. Int throws Error(kInvalidArgument)
  // for a value of another kind and counts none as not given.
  int64_t Int(size_t index, int64_t fallback) const;
  bool Truth(size_t index, bool fallback) const;
  // Returns the text of the argument; null where it was not given or is none.
  const MarkedText* Text(size_t index) const;

 private:
  bool IsGiven(size_t index) const { return Has(index) && !values_[index]->Is<None>(); }

  std::string function_;
  std::vector<std::string> names_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace tome::jinja
