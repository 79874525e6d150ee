// Reading an outside JSON document field by field, with errors that say the path of the field.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/error.h"

namespace tome {

// Nesting of arrays and objects that a document may have.
inline constexpr int kMaxJsonDepth = 64;

// Parses `text`. Throws Error(kCorrupt) naming `document` for what is no JSON, kUnsupported for
// nesting deeper than kMaxJsonDepth.
nlohmann::json ParseJson(std::string_view text, std::string_view document);

// A view of one value; the document must outlive it.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string path)
      : value_(&value), path_(std::move(path)) {}

  const nlohmann::json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  // A member of this object; nothing where it is missing or null.
  std::optional<JsonField> Find(std::string_view name) const;
  JsonField Require(std::string_view name) const;
  // The elements of this array.
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

// The bytes of base64 text; nothing where it is none.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace tome
