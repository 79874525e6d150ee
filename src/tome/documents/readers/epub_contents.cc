#include "tome/documents/readers/epub_contents.h"

#include <utility>

#include "tome/documents/readers/href.h"
#include "tome/documents/readers/xml.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

class ContentsBuilder {
 public:
  explicit ContentsBuilder(std::string_view part) : part_(part) {}

  // `href` is empty for an entry without link.
  void Add(std::string_view title, std::string_view href, int level) {
    ContentsEntry entry;
    entry.title = CollapseWhiteSpace(NormalizeText(title));
    entry.level = level;
    if (entry.title.empty()) return;
    if (href.empty()) {
      entry.has_link = false;
    } else if (auto reference = ResolveHref(part_, href)) {
      entry.path = std::move(reference->path);
      entry.has_fragment = !reference->fragment.empty();
    } else {
      return;
    }
    entries_.push_back(std::move(entry));
  }

  std::vector<ContentsEntry> Finish() && {
    for (size_t i = entries_.size(); i-- > 0;) {
      if (i + 1 == entries_.size()) continue;
      const ContentsEntry& next = entries_[i + 1];
      entries_[i].has_children = next.level > entries_[i].level;
      if (!entries_[i].has_link && entries_[i].has_children) entries_[i].path = next.path;
    }
    std::erase_if(entries_, [](const ContentsEntry& entry) { return entry.path.empty(); });
    return std::move(entries_);
  }

 private:
  std::string_view part_;
  std::vector<ContentsEntry> entries_;
};

void AddNavList(pugi::xml_node list, int level, ContentsBuilder& contents) {
  for (const pugi::xml_node item : list) {
    if (LocalName(item) != "li") continue;
    for (const pugi::xml_node child : item) {
      const std::string_view name = LocalName(child);
      if (name == "a") contents.Add(TextContent(child), Attribute(child, "href"), level);
      if (name == "span") contents.Add(TextContent(child), "", level);
      if (name == "ol") AddNavList(child, level + 1, contents);
    }
  }
}

void AddNavPoints(pugi::xml_node parent, int level, ContentsBuilder& contents) {
  for (const pugi::xml_node point : parent) {
    if (LocalName(point) != "navPoint") continue;
    contents.Add(TextContent(Child(point, "navLabel")), Attribute(Child(point, "content"), "src"),
                 level);
    AddNavPoints(point, level + 1, contents);
  }
}

// Returns <nav epub:type="toc">, or else the first <nav> without a type.
pugi::xml_node TocNav(pugi::xml_node root) {
  pugi::xml_node first;
  for (pugi::xml_node node = root; node; node = NextInDocument(node, root)) {
    if (LocalName(node) != "nav") continue;
    if (Attribute(node, "type") == "toc") return node;
    if (!first && !HasAttribute(node, "type")) first = node;
  }
  return first;
}

}  // namespace

std::vector<ContentsEntry> ContentsOfNav(pugi::xml_node root, std::string_view part) {
  ContentsBuilder contents(part);
  AddNavList(FindDescendant(TocNav(root), "ol"), 1, contents);
  return std::move(contents).Finish();
}

std::vector<ContentsEntry> ContentsOfNcx(pugi::xml_node root, std::string_view part) {
  ContentsBuilder contents(part);
  AddNavPoints(Child(root, "navMap"), 1, contents);
  return std::move(contents).Finish();
}

}  // namespace tome
