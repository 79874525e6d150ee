// Metadata holds the typed key-value pairs of a checkpoint, in the manner of GGUF:
// "llama.block_count" = 16.
//
// Integers of every width are kept as int64_t, because GGUF writers disagree on the width of the
// same key; the reader refuses a u64 above 2^63-1. Floats are kept as double, arrays flat.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tome {

using MetadataValue =
    std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                 std::vector<double>, std::vector<std::string>>;

// The typed accessors throw Error(kCorrupt) with the key when it holds another kind than asked for.
// An integer is accepted where a float is asked for.
class Metadata {
 public:
  void Set(std::string key, MetadataValue value);
  bool Has(std::string_view key) const { return values_.find(key) != values_.end(); }
  const MetadataValue* Find(std::string_view key) const;

  std::optional<bool> Bool(std::string_view key) const;
  std::optional<int64_t> Int(std::string_view key) const;
  std::optional<double> Float(std::string_view key) const;
  std::optional<std::string_view> String(std::string_view key) const;
  // Return null when the key is absent. A scalar integer or float is not an array.
  const std::vector<std::string>* Strings(std::string_view key) const;
  const std::vector<int64_t>* Ints(std::string_view key) const;
  const std::vector<double>* Floats(std::string_view key) const;

  // Returns all pairs, sorted by key.
  const std::map<std::string, MetadataValue, std::less<>>& values() const { return values_; }

 private:
  std::map<std::string, MetadataValue, std::less<>> values_;
};

}  // namespace tome
