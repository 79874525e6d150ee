#include "tome/documents/readers/href.h"

#include "tome/documents/readers/archive.h"

namespace tome {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<PartReference> ResolveHref(std::string_view base_part, std::string_view href) {
  PartReference reference;
  const size_t hash = href.find('#');
  if (hash != std::string_view::npos) {
    reference.fragment = PercentDecode(href.substr(hash + 1));
    href = href.substr(0, hash);
    if (href.empty()) {
      reference.path = base_part;
      return reference;
    }
  }
  href = href.substr(0, href.find('?'));
  const size_t colon = href.find(':');
  if (href.empty() || (colon != std::string_view::npos && colon < href.find('/'))) {
    return std::nullopt;
  }
  std::string joined;
  const size_t folder = base_part.rfind('/');
  if (href.front() != '/' && folder != std::string_view::npos) {
    joined = base_part.substr(0, folder + 1);
  }
  joined += PercentDecode(href);
  std::optional<std::string> path = NormalizeEntryName(joined);
  if (!path) return std::nullopt;
  reference.path = *std::move(path);
  return reference;
}

}  // namespace tome
