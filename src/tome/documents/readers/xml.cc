#include "tome/documents/readers/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

constexpr unsigned kParseFlags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                 pugi::parse_wconv_attribute | pugi::parse_ws_pcdata;

// Returns the most that the tree will cost. A '<' opens one node and ends the text node before it,
// and a '=' may be an attribute. The sizes are pugixml's on 64-bit machines.
uint64_t TreeBytes(std::string_view bytes) {
  constexpr uint64_t kNodeBytes = 64;
  constexpr uint64_t kAttributeBytes = 40;
  uint64_t total = bytes.size();
  for (const char c : bytes) {
    if (c == '<') total += 2 * kNodeBytes;
    if (c == '=') total += kAttributeBytes;
  }
  return total;
}

std::string_view WithoutPrefix(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void CheckDepth(const pugi::xml_document& tree, std::string_view part) {
  int depth = 0;
  pugi::xml_node node = tree.first_child();
  while (node) {
    if (node.first_child()) {
      if (++depth >= kMaxElementDepth) {
        throw Error(Code::kCorrupt,
                    fmt::format("{}: elements nest deeper than {}", part, kMaxElementDepth));
      }
      node = node.first_child();
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node) node = node.next_sibling();
  }
}

}  // namespace

pugi::xml_document ParseXml(std::string_view bytes, std::string_view part) {
  if (TreeBytes(bytes) > kMaxXmlTreeBytes) {
    throw Error(Code::kOutOfMemory, fmt::format("{}: its XML would need more than {} MiB of memory",
                                                part, kMaxXmlTreeBytes >> 20));
  }
  pugi::xml_document tree;
  const pugi::xml_parse_result result = tree.load_buffer(bytes.data(), bytes.size(), kParseFlags);
  if (!result) {
    throw Error(Code::kCorrupt, fmt::format("{}: not well-formed XML at byte {}: {}", part,
                                            result.offset, result.description()));
  }
  CheckDepth(tree, part);
  return tree;
}

std::string_view LocalName(pugi::xml_node node) {
  return node.type() == pugi::node_element ? WithoutPrefix(node.name()) : std::string_view();
}

pugi::xml_node Child(pugi::xml_node parent, std::string_view local_name) {
  for (const pugi::xml_node child : parent) {
    if (LocalName(child) == local_name) return child;
  }
  return {};
}

std::string_view Attribute(pugi::xml_node node, std::string_view local_name) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (WithoutPrefix(attribute.name()) == local_name) return attribute.value();
  }
  return {};
}

bool HasAttribute(pugi::xml_node node, std::string_view local_name) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (WithoutPrefix(attribute.name()) == local_name) return true;
  }
  return false;
}

pugi::xml_node FindDescendant(pugi::xml_node root, std::string_view local_name) {
  for (pugi::xml_node node = root; node; node = NextInDocument(node, root)) {
    if (LocalName(node) == local_name) return node;
  }
  return {};
}

std::string TextContent(pugi::xml_node root) {
  std::string text;
  for (pugi::xml_node node = root; node; node = NextInDocument(node, root)) {
    if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) text += node.value();
  }
  return text;
}

pugi::xml_node NextInDocument(pugi::xml_node node, pugi::xml_node root) {
  return node.first_child() ? node.first_child() : NextAfter(node, root);
}

pugi::xml_node NextAfter(pugi::xml_node node, pugi::xml_node root) {
  while (node && node != root) {
    if (node.next_sibling()) return node.next_sibling();
    node = node.parent();
  }
  return {};
}

int ParseInt(std::string_view text, int low, int high, int fallback) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return text.starts_with('-') ? low : high;
  if (error != std::errc() || end != text.data() + text.size()) return fallback;
  return static_cast<int>(std::clamp<int64_t>(value, low, high));
}

}  // namespace tome
