// What strftime_now gives a template: never the clock's time, but what the caller says.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace tome::jinja {

// `now` in the format that is asked for; without, `no_date` as it is; where that is empty, an
// error.
struct Date {
  std::optional<std::tm> now;
  std::string_view no_date = {};  // lives as long as the rendering
};

}  // namespace tome::jinja
