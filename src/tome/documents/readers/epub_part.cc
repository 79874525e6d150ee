#include "tome/documents/readers/epub_part.h"

#include <optional>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/readers/decoded_file.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A declaration stands within this many bytes of the start.
constexpr size_t kHeadBytes = 2048;

// Returns the word after `key` and "=", quoted or not: UTF-8 of `charset="UTF-8"`.
std::optional<std::string_view> ValueOf(std::string_view head, std::string_view key) {
  size_t at = head.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  at = head.find_first_not_of(" \t\r\n", at + key.size());
  if (at == std::string_view::npos || head[at] != '=') return std::nullopt;
  at = head.find_first_not_of(" \t\r\n\"'", at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  return head.substr(at, head.find_first_of(" \t\r\n\"'/>?;", at) - at);
}

std::optional<std::string_view> DeclaredEncoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kHeadBytes);
  if (head.starts_with("<?xml")) {
    if (const auto name = ValueOf(head.substr(0, head.find("?>")), "encoding")) return name;
  }
  return ValueOf(head, "charset");
}

std::string WithoutDeclaration(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (!text.starts_with("<?xml")) return text;
  const size_t end = text.find("?>");
  if (end != std::string::npos) text.erase(0, end + 2);
  return text;
}

}  // namespace

std::string EpubPartText(std::string bytes, std::string_view part) {
  if (IsValidUtf8(bytes)) return WithoutDeclaration(std::move(bytes));
  DecodedFile file;
  try {
    DecodeFile(bytes, ReadOptions{}, DeclaredEncoding(bytes), file);
  } catch (const Error& error) {
    throw error.In(part);
  }
  return WithoutDeclaration(std::string(file.utf8));
}

}  // namespace tome
