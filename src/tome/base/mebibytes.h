// How sizes are written for a reader.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace tome {

// Returns a size as "1.5 MiB".
inline std::string MiB(int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace tome
