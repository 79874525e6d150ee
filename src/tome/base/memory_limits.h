// Tells how much memory this process may still take: the free memory of the machine, within the
// limits of the containers (control groups) that the process runs in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tome {

// Returns the bytes that can be taken without swapping and within every limit. This is the least of
// MemAvailable and, for the process's control group and each group around it, the group's limit
// less its usage that cannot be reclaimed at once. Empty where the system tells neither. Control
// groups of versions 1 and 2 are understood, and so are containers that see their own group as the
// root. `root` is the folder that /proc and /sys are looked up in, for tests.
std::optional<int64_t> AvailableMemory(const std::filesystem::path& root = "/");

}  // namespace tome
