// GgufKeys reads the GGUF keys of one architecture by their short names: "llama.block_count" is
// asked for as "block_count".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tome/formats/metadata.h"

namespace tome {

// A GgufKeys refers to `metadata`, which must outlive it. Errors name the full key.
class GgufKeys {
 public:
  GgufKeys(const Metadata& metadata, std::string architecture)
      : metadata_(metadata), prefix_(std::move(architecture) + ".") {}

  std::string Full(std::string_view key) const { return prefix_ + std::string(key); }
  bool Has(std::string_view key) const { return metadata_.Has(Full(key)); }
  std::optional<int64_t> Int(std::string_view key) const { return metadata_.Int(Full(key)); }
  std::optional<double> Float(std::string_view key) const { return metadata_.Float(Full(key)); }
  std::optional<std::string> String(std::string_view key) const {
    const auto value = metadata_.String(Full(key));
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }
  // Throw Error(kCorrupt) when the key is missing.
  int64_t Require(std::string_view key) const;
  double RequireFloat(std::string_view key) const;

 private:
  const Metadata& metadata_;
  std::string prefix_;
};

}  // namespace tome
