// Reads an outside JSON document field by field. Errors name the path of the field.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/error.h"

namespace tome {

// Deepest nesting of arrays and objects that a document may have.
inline constexpr int kMaxJsonDepth = 64;

// Parses `text`. Throws Error(kCorrupt) naming `document` for text that is no JSON, and
// Error(kUnsupported) for nesting deeper than kMaxJsonDepth.
nlohmann::json ParseJson(std::string_view text, std::string_view document);

// A view of one value. The document must outlive it. Reading a value as another type throws
// Error(kCorrupt) with the path.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string path)
      : value_(&value), path_(std::move(path)) {}

  const nlohmann::json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  // Returns a member of this object. Empty where it is missing or null.
  std::optional<JsonField> Find(std::string_view name) const;
  JsonField Require(std::string_view name) const;
  std::vector<JsonField> Items() const;

  const std::string& String() const;
  int64_t Int() const;
  double Number() const;
  bool Bool() const;

  bool BoolOr(std::string_view name, bool otherwise) const;
  std::string StringOr(std::string_view name, std::string_view otherwise) const;

  [[noreturn]] void Fail(Code code, std::string_view what) const;

 private:
  const nlohmann::json* value_;
  std::string path_;
};

// Returns the bytes of base64 text. Empty where it is not base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace tome
