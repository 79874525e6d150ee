// The one object that --json prints.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tome {

// Prints `object` on one line of stdout. JSON is UTF-8, but names of files may hold any bytes:
// those that are not UTF-8 become U+FFFD.
void PrintJson(const nlohmann::ordered_json& object);

}  // namespace tome
