// config.toml in the library's folder: what the user has set once for all commands.
//
//   default_model = "qwen3"    # the model that is meant where none is named; may be left out
//
//   [models]                   # the models that were added, by the names they go by
//   qwen3 = "/home/lin/models/Qwen3-0.6B-Q8_0.gguf"
//
// A path that is not absolute begins at the folder of config.toml. The file may be written by hand:
// what is unknown or of another type is an error that says where, never passed over, because a
// setting that does nothing looks like one that does. Comments are lost when Tome writes it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tome/base/function_ref.h"

namespace tome {

struct Config {
  std::string default_model;                            // a key of `models`; empty: none
  std::map<std::string, std::filesystem::path> models;  // by name

  friend bool operator==(const Config&, const Config&) = default;
};

// Names are typed on command lines and shown in lists: UTF-8 without control characters, no "/"
// (that would be a path), no "-" in front (that would be an option), at most 255 bytes, not empty.
bool IsModelName(std::string_view name);

// Error(kCorrupt) begins with `what` and the line and column of what is wrong. Paths are as they
// are written.
Config ParseConfig(std::string_view toml, std::string_view what);

// The file that ParseConfig reads as `config`. Error(kInvalidArgument) for a name that is none and
// for a path that TOML cannot hold, as it is not UTF-8.
std::string ToToml(const Config& config);

std::filesystem::path ConfigFile(const std::filesystem::path& home);

// The settings kept in `home`, with absolute paths; empty ones where nothing was set yet.
Config ReadConfig(const std::filesystem::path& home);

// Reads, changes and writes them, alone among all processes that do. The file is replaced as a
// whole or stays. Creates `home`.
void ChangeConfig(const std::filesystem::path& home, FunctionRef<void(Config&)> change);

}  // namespace tome
