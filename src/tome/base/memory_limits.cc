#include "tome/base/memory_limits.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tome {
namespace {

namespace fs = std::filesystem;

// The names of the files in a control group's folder, which differ between versions 1 and 2.
struct GroupFiles {
  std::vector<std::string_view> limits;  // the least of them holds
  std::string_view usage;
  std::string_view reclaimable;  // key in memory.stat, for the group and the groups in it
};

GroupFiles FilesOf(bool unified) {
  return unified ? GroupFiles{{"memory.max", "memory.high"}, "memory.current", "inactive_file"}
                 : GroupFiles{
                       {"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"};
}

// A mounted hierarchy of control groups that limits memory.
struct Hierarchy {
  bool unified = false;  // version 2
  std::string root;      // the group that the mount point shows
  std::string mount_point;
};

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Returns the number in a file. Empty where the file is missing or holds "max".
std::optional<int64_t> NumberIn(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return ParseNumber(word);
}

// Returns the number after `key` in a file of lines "KEY NUMBER …".
std::optional<int64_t> NumberOf(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    std::string number;
    if (words >> name >> number && name == key) return ParseNumber(number);
  }
  return std::nullopt;
}

bool ListHas(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Decodes a path of mountinfo, which writes blanks and backslashes as three octal digits.
std::string Unescaped(std::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const std::string_view digits = text.substr(i).substr(0, 4);
    const bool escaped =
        digits.size() == 4 && digits[0] == '\\' &&
        std::from_chars(digits.data() + 1, digits.data() + 4, value, 8).ptr == digits.data() + 4;
    path += escaped ? static_cast<char>(value) : text[i];
    if (escaped) i += 3;
  }
  return path;
}

// Parses "36 35 98:0 ROOT MOUNT_POINT OPTIONS … - TYPE SOURCE SUPER_OPTIONS". Empty for mounts
// other than hierarchies that limit memory.
std::optional<Hierarchy> ParseMount(const std::string& line) {
  std::istringstream in(line);
  std::string skipped;
  std::string root;
  std::string mount_point;
  if (!(in >> skipped >> skipped >> skipped >> root >> mount_point)) return std::nullopt;
  while (in >> skipped && skipped != "-") {
  }
  std::string type;
  std::string source;
  std::string options;
  in >> type >> source >> options;
  const bool unified = type == "cgroup2";
  if (!unified && !(type == "cgroup" && ListHas(options, "memory"))) return std::nullopt;
  return Hierarchy{unified, Unescaped(root), Unescaped(mount_point)};
}

// Returns the process's group in a hierarchy, read from /proc/self/cgroup with its lines
// "ID:CONTROLLERS:PATH". The line of version 2 names no controllers.
std::optional<std::string> GroupIn(const fs::path& file, bool unified) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : ListHas(controllers, "memory")) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

// Returns the group's folder, relative to the mount point. A container may see its own group as
// "/", or a group outside of it as "/..". Such a group does not lie below the group that the mount
// shows; the mount's own folder is returned for it.
fs::path FolderOf(const std::string& group, const std::string& shown) {
  const fs::path below = fs::path(group).lexically_relative(shown);
  if (below.empty() || *below.begin() == "..") return ".";
  return below;
}

// Returns the bytes left of one group's limit. Empty where the group has no limit.
std::optional<int64_t> LeftIn(const fs::path& folder, const GroupFiles& files) {
  std::optional<int64_t> limit;
  for (const std::string_view name : files.limits) {
    const std::optional<int64_t> one = NumberIn(folder / name);
    if (one && (!limit || *one < *limit)) limit = one;
  }
  const std::optional<int64_t> usage = NumberIn(folder / files.usage);
  if (!limit || !usage) return std::nullopt;
  const int64_t reclaimable = NumberOf(folder / "memory.stat", files.reclaimable).value_or(0);
  const int64_t used = std::max<int64_t>(0, *usage - std::max<int64_t>(0, reclaimable));
  return std::max<int64_t>(0, *limit - used);
}

void Lower(std::optional<int64_t>& least, std::optional<int64_t> bytes) {
  if (bytes && (!least || *bytes < *least)) least = bytes;
}

}  // namespace

std::optional<int64_t> AvailableMemory(const fs::path& root) {
  std::optional<int64_t> least;
  if (const auto kib = NumberOf(root / "proc/meminfo", "MemAvailable:")) least = *kib * 1024;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::optional<Hierarchy> hierarchy = ParseMount(line);
    if (!hierarchy) continue;
    const auto group = GroupIn(root / "proc/self/cgroup", hierarchy->unified);
    if (!group) continue;
    const GroupFiles files = FilesOf(hierarchy->unified);
    const fs::path top = root / fs::path(hierarchy->mount_point).relative_path();
    // Goes from the process's group up to the outermost group that can be seen.
    for (fs::path below = FolderOf(*group, hierarchy->root);; below = below.parent_path()) {
      Lower(least, LeftIn(top / below, files));
      if (below.empty() || below == ".") break;
    }
  }
  return least;
}

}  // namespace tome
