#include "tome/documents/readers/docx_styles.h"

#include <utility>

#include "tome/documents/readers/xml.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A longer chain of basedOn is a loop.
constexpr int kMaxStyleChain = 64;
constexpr int kMaxHeadingLevel = 9;

// Returns the number N of "PREFIX N", or 0 for any other name.
int NumberAfter(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  while (name.starts_with(' ')) name.remove_prefix(1);
  return name.size() == 1 ? ParseInt(name, 0, kMaxHeadingLevel, 0) : 0;
}

int HeadingLevelOfName(const std::string& lower_name) {
  if (lower_name == "title" || lower_name == "标题") return 1;
  for (const std::string_view prefix : {"heading", "标题", "標題"}) {
    if (const int level = NumberAfter(lower_name, prefix)) return level;
  }
  return 0;
}

// A RawStyle is one w:style as written, before inheritance.
struct RawStyle {
  std::string based_on;
  std::string lower_name;
  std::optional<int> heading_level;
  std::optional<ListPosition> list;
};

RawStyle ReadStyle(pugi::xml_node node) {
  RawStyle style;
  style.based_on = Attribute(Child(node, "basedOn"), "val");
  style.lower_name = LowerAscii(Attribute(Child(node, "name"), "val"));
  const pugi::xml_node properties = Child(node, "pPr");
  style.heading_level = OutlineLevel(properties);
  if (!style.heading_level) {
    if (const int level = HeadingLevelOfName(style.lower_name)) style.heading_level = level;
  }
  style.list = ListPositionOf(properties);
  return style;
}

bool IsContentsEntry(const std::string& lower_name) {
  return NumberAfter(lower_name, "toc") > 0 || lower_name == "toc heading";
}

}  // namespace

std::optional<int> OutlineLevel(pugi::xml_node paragraph_properties) {
  const pugi::xml_node outline = Child(paragraph_properties, "outlineLvl");
  if (!outline) return std::nullopt;
  const int level = ParseInt(Attribute(outline, "val"), 0, kMaxHeadingLevel, kMaxHeadingLevel);
  return level == kMaxHeadingLevel ? 0 : level + 1;  // 9 means body text
}

std::optional<ListPosition> ListPositionOf(pugi::xml_node paragraph_properties) {
  const pugi::xml_node numbering = Child(paragraph_properties, "numPr");
  const std::string_view list_id = Attribute(Child(numbering, "numId"), "val");
  if (list_id.empty()) return std::nullopt;
  return ListPosition{.list_id = std::string(list_id),
                      .level = ParseInt(Attribute(Child(numbering, "ilvl"), "val"), 0, 8, 0)};
}

DocxStyles::DocxStyles(pugi::xml_node root) {
  std::unordered_map<std::string, RawStyle> raw;
  for (const pugi::xml_node node : root) {
    if (LocalName(node) != "style") continue;
    raw.emplace(Attribute(node, "styleId"), ReadStyle(node));
  }
  for (const auto& [id, style] : raw) {
    ParagraphStyle resolved;
    std::optional<int> heading_level;
    const RawStyle* ancestor = &style;
    for (int i = 0; i < kMaxStyleChain; ++i) {
      if (!heading_level) heading_level = ancestor->heading_level;
      if (!resolved.list) resolved.list = ancestor->list;
      const auto parent = raw.find(ancestor->based_on);
      if (parent == raw.end()) break;
      ancestor = &parent->second;
    }
    resolved.heading_level = heading_level.value_or(0);
    resolved.contents_entry = IsContentsEntry(style.lower_name);
    styles_.emplace(id, std::move(resolved));
  }
}

ParagraphStyle DocxStyles::Find(std::string_view style_id) const {
  const std::string id(style_id);
  const auto found = styles_.find(id);
  if (found != styles_.end()) return found->second;
  const std::string lower = LowerAscii(id);
  return {.heading_level = HeadingLevelOfName(lower),
          .contents_entry = IsContentsEntry(lower),
          .list = std::nullopt};
}

}  // namespace tome
