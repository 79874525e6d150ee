#include "tome/documents/readers/docx_parts.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "tome/documents/readers/href.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

// Splits the name of a part into its folder, which ends with a slash, and the rest: "word/",
// "document.xml".
std::pair<std::string, std::string> SplitName(const std::string& part) {
  const size_t slash = part.rfind('/');
  if (slash == std::string::npos) return {"", part};
  return {part.substr(0, slash + 1), part.substr(slash + 1)};
}

// Relationships holds the relationships of one part, or of the whole package where `part` is empty.
class Relationships {
 public:
  Relationships(Archive& archive, const std::string& part) : part_(part) {
    const auto [folder, name] = SplitName(part);
    const std::string rels = fmt::format("{}_rels/{}.rels", folder, name);
    if (const std::optional<std::string> content = archive.Read(rels)) {
      tree_ = ParseXml(*content, rels);
    }
  }

  // Returns the part whose relationship type ends with `type`, or else `otherwise`. The
  // transitional and the strict standard differ only in the text before that ending.
  std::string Target(std::string_view type, std::string_view otherwise) const {
    for (const pugi::xml_node node : tree_.document_element()) {
      if (LocalName(node) != "Relationship" || Attribute(node, "TargetMode") == "External")
        continue;
      if (!Attribute(node, "Type").ends_with(type)) continue;
      if (const auto target = ResolveHref(part_, Attribute(node, "Target"))) return target->path;
    }
    return std::string(otherwise);
  }

 private:
  std::string part_;
  pugi::xml_document tree_;
};

}  // namespace

DocxParts FindDocxParts(Archive& archive) {
  DocxParts parts;
  const Relationships package(archive, "");
  parts.document = package.Target("/officeDocument", "word/document.xml");
  parts.core_properties = package.Target("/core-properties", "docProps/core.xml");
  const Relationships document(archive, parts.document);
  const std::string folder = SplitName(parts.document).first;
  parts.styles = document.Target("/styles", folder + "styles.xml");
  parts.numbering = document.Target("/numbering", folder + "numbering.xml");
  parts.footnotes = document.Target("/footnotes", folder + "footnotes.xml");
  parts.endnotes = document.Target("/endnotes", folder + "endnotes.xml");
  return parts;
}

}  // namespace tome
