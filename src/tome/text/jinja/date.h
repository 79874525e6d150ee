// The date that strftime_now gives a template. It never comes from the clock, only from the caller.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace tome::jinja {

// strftime_now writes `now` in the format that the template asks for. Without `now` it gives
// `no_date` unchanged; where `no_date` is empty too, it fails.
struct Date {
  std::optional<std::tm> now;
  std::string_view no_date = {};  // must live as long as the rendering
};

}  // namespace tome::jinja
