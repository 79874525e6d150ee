// HfConfig gives typed access to the config.json of a Hugging Face checkpoint.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// The accessors return an empty value for a key that is absent or null. They throw Error(kCorrupt)
// with the key for a value of another type. A key may be a path: "rope_scaling.factor".
class HfConfig {
 public:
  // Throws Error(kNotFound) for empty text, and Error(kCorrupt) for text that is no JSON object, is
  // nested deeper than 32 levels or is larger than 16 MiB. Infinity, which Python writes, is read
  // as the largest double; NaN is not accepted.
  static HfConfig Parse(std::string_view json);

  bool Has(std::string_view path) const { return Find(path) != nullptr; }
  std::optional<int64_t> Int(std::string_view path) const;
  std::optional<double> Float(std::string_view path) const;
  std::optional<bool> Bool(std::string_view path) const;
  std::optional<std::string> String(std::string_view path) const;
  bool IsString(std::string_view path) const;
  // Returns the string at `path`. Where `path` holds an array of objects, returns the member
  // `value` of the object whose member `name` is `wanted`: chat templates come both ways.
  std::optional<std::string> NamedString(std::string_view path, std::string_view name,
                                         std::string_view wanted, std::string_view value) const;
  std::optional<std::vector<double>> Floats(std::string_view path) const;
  std::optional<std::vector<std::string>> Strings(std::string_view path) const;

 private:
  const nlohmann::json* Find(std::string_view path) const;

  nlohmann::json root_;
};

}  // namespace tome
