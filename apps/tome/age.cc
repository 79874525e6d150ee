#include "age.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace tome {
namespace {

std::optional<std::chrono::sys_seconds> ParseTime(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  char end = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%c", &year, &month, &day, &hour, &minute,
                  &second, &end) != 7 ||
      end != 'Z') {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

std::string Age(std::string_view time, std::chrono::sys_seconds now) {
  constexpr std::array<std::pair<int64_t, const char*>, 3> kUnits{
      {{86400, "day"}, {3600, "hour"}, {60, "minute"}}};
  const auto then = ParseTime(std::string(time));
  if (!then) return "at an unknown time";
  const int64_t seconds = (now - *then).count();
  for (const auto& [length, name] : kUnits) {
    const int64_t count = seconds / length;
    if (count > 0) return fmt::format("{} {}{} ago", count, name, count == 1 ? "" : "s");
  }
  return "just now";
}

}  // namespace tome
