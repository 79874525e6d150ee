// How much memory this process may still take: what the machine has free, and what is left of the
// limits of the containers (control groups) that it runs in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tome {

// Bytes that can be had without swapping and within every limit: the least of MemAvailable and, for
// the process's control group and each around it, its limit less what is used of it and cannot be
// reclaimed at once. Nothing where the system says neither. Versions 1 and 2 of control groups are
// understood, and containers that see their own group as the root. `root` is where /proc and /sys
// are found, for tests.
std::optional<int64_t> AvailableMemory(const std::filesystem::path& root = "/");

}  // namespace tome
