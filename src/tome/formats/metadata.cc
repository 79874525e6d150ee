#include "tome/formats/metadata.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

// The names of MetadataValue's alternatives in errors.
constexpr std::array<std::string_view, std::variant_size_v<MetadataValue>> kKindNames{
    "a bool",           "an integer",           "a number",           "a string",
    "an array of bool", "an array of integers", "an array of floats", "an array of strings"};

[[noreturn]] void ThrowKind(std::string_view key, const MetadataValue& value,
                            std::string_view wanted) {
  throw Error(Code::kCorrupt, fmt::format("metadata {}: is {} where {} is expected", key,
                                          kKindNames[value.index()], wanted));
}

template <typename T>
const T* Get(const MetadataValue* value, std::string_view key, std::string_view wanted) {
  if (value == nullptr) return nullptr;
  const T* held = std::get_if<T>(value);
  if (held == nullptr) ThrowKind(key, *value, wanted);
  return held;
}

}  // namespace

void Metadata::Set(std::string key, MetadataValue value) {
  values_.insert_or_assign(std::move(key), std::move(value));
}

const MetadataValue* Metadata::Find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

std::optional<bool> Metadata::Bool(std::string_view key) const {
  const auto* value = Get<bool>(Find(key), key, "a bool");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<int64_t> Metadata::Int(std::string_view key) const {
  const auto* value = Get<int64_t>(Find(key), key, "an integer");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> Metadata::Float(std::string_view key) const {
  const MetadataValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* integer = std::get_if<int64_t>(value)) return static_cast<double>(*integer);
  return *Get<double>(value, key, "a number");
}

std::optional<std::string_view> Metadata::String(std::string_view key) const {
  const auto* value = Get<std::string>(Find(key), key, "a string");
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(*value);
}

const std::vector<std::string>* Metadata::Strings(std::string_view key) const {
  return Get<std::vector<std::string>>(Find(key), key, "an array of strings");
}

const std::vector<int64_t>* Metadata::Ints(std::string_view key) const {
  return Get<std::vector<int64_t>>(Find(key), key, "an array of integers");
}

const std::vector<double>* Metadata::Floats(std::string_view key) const {
  return Get<std::vector<double>>(Find(key), key, "an array of floats");
}

}  // namespace tome
