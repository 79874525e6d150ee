// The settings that a user makes once for all commands: config.toml in the library's folder.
//
//   default_model = "qwen3"    # the model of a command that names none; may be left out
//   default_embedder = "bge"   # the embedding model of one that names none; may be left out
//
//   [models]                   # the models that were added, by name
//   qwen3 = "/home/lin/models/Qwen3-0.6B-Q8_0.gguf"
//
// A relative path begins at the folder of config.toml. The file may be written by hand. An unknown
// setting, or a value of another type, is an error with its place. It is never ignored, because a
// setting without effect looks like one with an effect. Comments are lost when Tome writes the
// file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tome/base/function_ref.h"

namespace tome {

struct Config {
  std::string default_model;                            // a key of `models`; empty: none
  std::string default_embedder;                         // a key of `models`; empty: none
  std::map<std::string, std::filesystem::path> models;  // by name

  friend bool operator==(const Config&, const Config&) = default;
};

// Returns whether `name` may name a model. Names are typed on command lines and shown in lists:
// UTF-8 without control characters, no "/" (that would be a path), no "-" in front (that would be
// an option), 1 to 255 bytes.
bool IsModelName(std::string_view name);

// Parses config.toml. Paths stay as they are written. Throws Error(kCorrupt), whose message begins
// with `what` and the line and column of the mistake.
Config ParseConfig(std::string_view toml, std::string_view what);

// Returns the text that ParseConfig reads as `config`. Throws Error(kInvalidArgument) for a name
// that IsModelName rejects, and for a path that TOML cannot hold because it is not UTF-8.
std::string ToToml(const Config& config);

std::filesystem::path ConfigFile(const std::filesystem::path& home);

// Returns the settings kept in `home`, with absolute paths. They are empty without a file.
Config ReadConfig(const std::filesystem::path& home);

// Reads, changes and writes the settings while no other process does so. The file is replaced as a
// whole or stays. Creates `home`.
void ChangeConfig(const std::filesystem::path& home, FunctionRef<void(Config&)> change);

}  // namespace tome
