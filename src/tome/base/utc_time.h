// The present time as it is kept in databases and shown to machines.
#pragma once

#include <string>

namespace tome {

// Returns the present second in UTC by ISO 8601: "2026-11-30T20:13:37Z".
std::string UtcNow();

}  // namespace tome
