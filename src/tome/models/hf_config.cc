#include "tome/models/hf_config.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {
namespace {

constexpr size_t kMaxConfigBytes = size_t{16} << 20;
constexpr int kMaxConfigDepth = 32;

[[noreturn]] void ThrowType(std::string_view path, std::string_view expected) {
  throw Error(Code::kCorrupt, fmt::format("config.json: {} is not {}", path, expected));
}

// Returns the text with the largest double in place of Infinity, which JSON lacks. Strings stay as
// they are.
std::string WithoutInfinity(std::string_view json) {
  constexpr std::string_view kInfinity = "Infinity";
  std::string text;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (!in_string && json.substr(i, kInfinity.size()) == kInfinity) {
      text += "1.7976931348623157e308";
      i += kInfinity.size() - 1;
      continue;
    }
    if (json[i] == '"') in_string = !in_string;
    text += json[i];
    if (in_string && json[i] == '\\' && i + 1 < json.size()) text += json[++i];
  }
  return text;
}

}  // namespace

HfConfig HfConfig::Parse(std::string_view json) {
  if (json.empty()) {
    throw Error(Code::kNotFound,
                "config.json is missing beside the weights; a safetensors model needs it");
  }
  if (json.size() > kMaxConfigBytes) throw Error(Code::kCorrupt, "config.json: larger than 16 MiB");
  HfConfig config;
  // `depth` is the number of levels around the object or array that begins.
  const auto limit_depth = [](int depth, nlohmann::json::parse_event_t event, nlohmann::json&) {
    const bool begins = event == nlohmann::json::parse_event_t::object_start ||
                        event == nlohmann::json::parse_event_t::array_start;
    if (begins && depth >= kMaxConfigDepth)
      throw Error(Code::kCorrupt, "config.json: nested too deeply");
    return true;
  };
  try {
    config.root_ = nlohmann::json::parse(WithoutInfinity(json), limit_depth);
  } catch (const nlohmann::json::exception& exception) {
    throw Error(Code::kCorrupt, fmt::format("config.json: {}", exception.what()));
  }
  if (!config.root_.is_object()) throw Error(Code::kCorrupt, "config.json: is not an object");
  return config;
}

const nlohmann::json* HfConfig::Find(std::string_view path) const {
  const std::string_view whole = path;
  const nlohmann::json* value = &root_;
  while (true) {
    const size_t dot = path.find('.');
    const auto found = value->find(std::string(path.substr(0, dot)));
    if (found == value->end() || found->is_null()) return nullptr;
    value = &*found;
    if (dot == std::string_view::npos) return value;
    if (!value->is_object())
      ThrowType(whole.substr(0, whole.size() - path.size() + dot), "an object");
    path.remove_prefix(dot + 1);
  }
}

bool HfConfig::IsString(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  return value != nullptr && value->is_string();
}

std::optional<int64_t> HfConfig::Int(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_float()) {
    // Some writers give whole numbers as floats ("4096.0").
    const double number = value->get<double>();
    constexpr double kExact = 9007199254740992.0;
    if (!(number > -kExact && number < kExact) ||
        number != static_cast<double>(static_cast<int64_t>(number))) {
      ThrowType(path, "a whole number");
    }
    return static_cast<int64_t>(number);
  }
  if (!value->is_number_integer() ||
      (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{INT64_MAX})) {
    ThrowType(path, "a whole number");
  }
  return value->get<int64_t>();
}

std::optional<double> HfConfig::Float(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) ThrowType(path, "a number");
  return value->get<double>();
}

std::optional<bool> HfConfig::Bool(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) ThrowType(path, "true or false");
  return value->get<bool>();
}

std::optional<std::string> HfConfig::String(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) ThrowType(path, "a string");
  return value->get<std::string>();
}

std::optional<std::string> HfConfig::NamedString(std::string_view path, std::string_view name,
                                                 std::string_view wanted,
                                                 std::string_view value) const {
  const nlohmann::json* found = Find(path);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array()) return String(path);
  const auto text = [](const nlohmann::json& object, std::string_view key) {
    const auto member = object.is_object() ? object.find(std::string(key)) : object.end();
    return object.is_object() && member != object.end() && member->is_string()
               ? member->get<std::string>()
               : std::string();
  };
  for (const nlohmann::json& object : *found) {
    if (text(object, name) == wanted) return text(object, value);
  }
  return std::nullopt;
}

std::optional<std::vector<double>> HfConfig::Floats(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  std::vector<double> numbers;
  if (!value->is_array()) ThrowType(path, "an array of numbers");
  for (const nlohmann::json& item : *value) {
    if (!item.is_number()) ThrowType(path, "an array of numbers");
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

std::optional<std::vector<std::string>> HfConfig::Strings(std::string_view path) const {
  const nlohmann::json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> strings;
  if (!value->is_array()) ThrowType(path, "an array of strings");
  for (const nlohmann::json& item : *value) {
    if (!item.is_string()) ThrowType(path, "an array of strings");
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

}  // namespace tome
