#include "tome/text/tokenizer/json_field.h"

#include <fmt/format.h>

#include <utility>

namespace tome {
namespace {

// Refuses deep nesting before the parser builds a tree from it.
void CheckDepth(std::string_view text, std::string_view document) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) {
        throw Error(Code::kUnsupported, fmt::format("{}: nested deeper than {} at byte {}",
                                                    document, kMaxJsonDepth, i));
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

}  // namespace

nlohmann::json ParseJson(std::string_view text, std::string_view document) {
  CheckDepth(text, document);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kCorrupt, fmt::format("{}: not JSON: {}", document, error.what()));
  }
}

void JsonField::Fail(Code code, std::string_view what) const {
  throw Error(code, fmt::format("{}: {}", path_, what));
}

std::optional<JsonField> JsonField::Find(std::string_view name) const {
  if (!value_->is_object()) Fail(Code::kCorrupt, "is no object");
  const auto it = value_->find(name);
  if (it == value_->end() || it->is_null()) return std::nullopt;
  return JsonField(*it, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
}

JsonField JsonField::Require(std::string_view name) const {
  std::optional<JsonField> field = Find(name);
  if (!field) {
    throw Error(Code::kCorrupt,
                fmt::format("{}{}{}: is missing", path_, path_.empty() ? "" : ".", name));
  }
  return *std::move(field);
}

std::vector<JsonField> JsonField::Items() const {
  if (!value_->is_array()) Fail(Code::kCorrupt, "is no array");
  std::vector<JsonField> items;
  for (size_t i = 0; i < value_->size(); ++i) {
    items.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
  }
  return items;
}

const std::string& JsonField::String() const {
  if (!value_->is_string()) Fail(Code::kCorrupt, "is no string");
  return value_->get_ref<const std::string&>();
}

int64_t JsonField::Int() const {
  if (!value_->is_number_integer()) Fail(Code::kCorrupt, "is no integer");
  if (value_->is_number_unsigned() && value_->get<uint64_t>() > uint64_t{INT64_MAX}) {
    Fail(Code::kCorrupt, "is too large");
  }
  return value_->get<int64_t>();
}

double JsonField::Number() const {
  if (!value_->is_number()) Fail(Code::kCorrupt, "is no number");
  return value_->get<double>();
}

bool JsonField::Bool() const {
  if (!value_->is_boolean()) Fail(Code::kCorrupt, "is neither true nor false");
  return value_->get<bool>();
}

bool JsonField::BoolOr(std::string_view name, bool otherwise) const {
  const std::optional<JsonField> field = Find(name);
  return field ? field->Bool() : otherwise;
}

std::string JsonField::StringOr(std::string_view name, std::string_view otherwise) const {
  const std::optional<JsonField> field = Find(name);
  return field ? field->String() : std::string(otherwise);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    int value = -1;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    if (c >= '0' && c <= '9') value = c - '0' + 52;
    if (c == '+') value = 62;
    if (c == '/') value = 63;
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

}  // namespace tome
