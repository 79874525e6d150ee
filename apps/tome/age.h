// How long ago something was, as a person says it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tome {

// "3 days ago" of a time as the library writes it ("2026-11-30T05:59:04Z"); "just now" for what is
// less than a minute old, or later than `now` by a clock that was set; "at an unknown time" for
// what is no time.
std::string Age(std::string_view time, std::chrono::sys_seconds now);

}  // namespace tome
