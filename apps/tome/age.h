// How long ago something was, in a person's words.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tome {

// Returns the age of a time that the library wrote ("2026-11-30T05:59:04Z"): "3 days ago". It is
// "just now" for a time less than a minute ago, or later than `now` because a clock was set. It is
// "at an unknown time" for a text that is no time.
std::string Age(std::string_view time, std::chrono::sys_seconds now);

}  // namespace tome
