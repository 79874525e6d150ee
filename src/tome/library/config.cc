#include "tome/library/config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/base/new_file.h"
#include "tome/library/toml.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr std::string_view kDefaultModel = "default_model";
constexpr std::string_view kDefaultEmbedder = "default_embedder";
constexpr std::string_view kModels = "models";

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// Returns whether TOML can hold a path and the system can open it.
bool IsPath(std::string_view path) {
  return !path.empty() && IsValidUtf8(path) && path.find('\0') == std::string_view::npos;
}

bool BreaksParser(std::string_view toml) {
  try {
    static_cast<void>(toml::parse(toml));
  } catch (const toml::parse_error&) {
    return false;
  } catch (const TomlAssertionFailed&) {
    return true;
  }
  return false;
}

// Returns the last place of the shortest beginning of `toml` that breaks the parser. Every longer
// one breaks it as well, because the parser reads from front to end.
toml::source_region PlaceThatBreaksParser(std::string_view toml) {
  size_t whole = 0;
  for (size_t broken = toml.size(); broken - whole > 1;) {
    const size_t half = whole + (broken - whole) / 2;
    (BreaksParser(toml.substr(0, half)) ? broken : whole) = half;
  }
  toml::source_position place{.line = 1, .column = 1};
  for (const char c : toml.substr(0, whole)) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;  // UTF-8 byte
    if (c == '\n') {
      place = {.line = place.line + 1, .column = 1};
    } else if (!continues) {
      ++place.column;
    }
  }
  return {.begin = place, .end = place, .path = {}};
}

// Turns a parsed table into a Config. Every error names its line and column.
class ConfigReader {
 public:
  explicit ConfigReader(std::string_view what) : what_(what) {}

  Config Read(const toml::table& table) const {
    Config config;
    for (const auto& [key, value] : table) {
      if (key.str() == kDefaultModel) {
        config.default_model = StringOf(key, value);
      } else if (key.str() == kDefaultEmbedder) {
        config.default_embedder = StringOf(key, value);
      } else if (key.str() == kModels) {
        config.models = ModelsOf(key, value);
      } else {
        Fail(key.source(), fmt::format("there is no setting \"{}\"; there are {}, {} and [{}]",
                                       key.str(), kDefaultModel, kDefaultEmbedder, kModels));
      }
    }
    for (const auto& [key, name] : {std::pair(kDefaultModel, config.default_model),
                                    std::pair(kDefaultEmbedder, config.default_embedder)}) {
      if (name.empty() || config.models.contains(name)) continue;
      Fail(table.get(key)->source(),
           fmt::format("{} is \"{}\", which is not under [{}]", key, name, kModels));
    }
    return config;
  }

  [[noreturn]] void Fail(const toml::source_region& place, std::string_view message) const {
    throw Error(Code::kCorrupt, fmt::format("{}: line {}, column {}: {}", what_, place.begin.line,
                                            place.begin.column, message));
  }

 private:
  std::string StringOf(const toml::key& key, const toml::node& value) const {
    const toml::value<std::string>* text = value.as_string();
    if (text == nullptr) {
      Fail(value.source(), fmt::format("{} is to be a text in quotation marks", key.str()));
    }
    return text->get();
  }

  std::map<std::string, std::filesystem::path> ModelsOf(const toml::key& models,
                                                        const toml::node& node) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      Fail(models.source(),
           fmt::format("{} is to be a table: names and paths under [{}]", kModels, kModels));
    }
    std::map<std::string, std::filesystem::path> paths;
    for (const auto& [name, value] : *table) {
      if (!IsModelName(name.str())) {
        Fail(name.source(),
             "no model can go by such a name (no \"/\", no control characters, no "
             "\"-\" in front, 1 to 255 bytes)");
      }
      std::string path = StringOf(name, value);
      if (!IsPath(path)) Fail(value.source(), fmt::format("{} has no path", name.str()));
      paths.emplace(name.str(), std::move(path));
    }
    return paths;
  }

  std::string_view what_;
};

// Returns UTF-8 as a basic string of TOML. (toml++ 3.3 writes some keys that hold a quotation mark
// so that they cannot be read.)
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\u{:04X}", byte);
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace

bool IsModelName(std::string_view name) {
  constexpr size_t kMostBytes = 255;
  return !name.empty() && name.size() <= kMostBytes && IsValidUtf8(name) &&
         !HasControlCharacter(name) && name.find('/') == std::string_view::npos &&
         name.front() != '-';
}

Config ParseConfig(std::string_view toml, std::string_view what) {
  const ConfigReader reader(what);
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    reader.Fail(error.source(), error.description());
  } catch (const TomlAssertionFailed&) {
    reader.Fail(PlaceThatBreaksParser(toml), "this is not TOML");
  }
  return reader.Read(table);
}

std::string ToToml(const Config& config) {
  std::string toml =
      "# Settings of Tome. `tome model` writes this file anew, and comments are lost then.\n";
  if (!config.default_model.empty()) {
    toml += fmt::format("{} = {}\n", kDefaultModel, Quoted(config.default_model));
  }
  if (!config.default_embedder.empty()) {
    toml += fmt::format("{} = {}\n", kDefaultEmbedder, Quoted(config.default_embedder));
  }
  toml += fmt::format("\n[{}]\n", kModels);
  for (const auto& [name, path] : config.models) {
    if (!IsModelName(name)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("\"{}\": no model can go by such a name; it must be UTF-8 without "
                              "control characters and \"/\", and not begin with \"-\"",
                              name));
    }
    if (!IsPath(path.string())) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}: a path that is not UTF-8 cannot be kept in the settings; rename "
                              "the file or folder",
                              path.string()));
    }
    toml += fmt::format("{} = {}\n", Quoted(name), Quoted(path.string()));
  }
  return toml;
}

std::filesystem::path ConfigFile(const std::filesystem::path& home) { return home / "config.toml"; }

Config ReadConfig(const std::filesystem::path& home) {
  const std::filesystem::path file = ConfigFile(home);
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return {};
  const std::string toml = ReadAll(OpenForReading(file).get(), kMaxConfigBytes, file.string());
  Config config = ParseConfig(toml, file.string());
  for (auto& [name, path] : config.models) path = std::filesystem::absolute(home / path);
  return config;
}

void ChangeConfig(const std::filesystem::path& home, FunctionRef<void(Config&)> change) {
  std::error_code error;
  std::filesystem::create_directories(home, error);
  if (error) {
    throw Error(Code::kIo, fmt::format("{}: {}; set TOME_HOME to a folder that can be written",
                                       home.string(), error.message()));
  }
  // The folder is locked, because the file itself is replaced by each change.
  const UniqueFd lock(::open(home.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) throw SystemError(home.string(), errno);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw SystemError(home.string(), errno);
  }
  Config config = ReadConfig(home);
  change(config);
  NewFile file(ConfigFile(home));
  file.Write(ToToml(config));
  file.Commit();
}

}  // namespace tome
