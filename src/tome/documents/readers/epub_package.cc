#include "tome/documents/readers/epub_package.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/readers/epub_part.h"
#include "tome/documents/readers/href.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

constexpr std::string_view kContainer = "META-INF/container.xml";
constexpr std::string_view kEncryption = "META-INF/encryption.xml";
// An item may name another item to fall back to. A longer chain is a loop.
constexpr int kMaxFallbacks = 8;

struct ManifestItem {
  std::string href;
  std::string media_type;
  std::string properties;
  std::string fallback;
};
using Manifest = std::unordered_map<std::string, ManifestItem>;

pugi::xml_document ParsePart(Archive& archive, std::string_view part) {
  return ParseXml(EpubPartText(archive.ReadRequired(part), part), part);
}

std::string PackagePath(Archive& archive) {
  const pugi::xml_document container = ParsePart(archive, kContainer);
  const pugi::xml_node file = FindDescendant(container.document_element(), "rootfile");
  const auto path = NormalizeEntryName(Attribute(file, "full-path"));
  if (!path) throw Error(Code::kCorrupt, fmt::format("{}: names no package", kContainer));
  return *path;
}

Manifest ReadManifest(pugi::xml_node package) {
  Manifest manifest;
  for (const pugi::xml_node item : Child(package, "manifest")) {
    if (LocalName(item) != "item") continue;
    manifest.emplace(Attribute(item, "id"),
                     ManifestItem{.href = std::string(Attribute(item, "href")),
                                  .media_type = std::string(Attribute(item, "media-type")),
                                  .properties = std::string(Attribute(item, "properties")),
                                  .fallback = std::string(Attribute(item, "fallback"))});
  }
  return manifest;
}

bool IsHtml(const ManifestItem& item) {
  return item.media_type == "application/xhtml+xml" || item.media_type == "text/html" ||
         item.media_type == "text/x-oeb1-document" || item.media_type.empty();
}

bool HasWord(std::string_view words, std::string_view word) {
  return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

// Returns the item, or the first item of its chain of fallbacks, that is HTML; nullptr without one.
const ManifestItem* HtmlItem(const Manifest& manifest, const ManifestItem* item) {
  for (int i = 0; i < kMaxFallbacks; ++i) {
    if (IsHtml(*item)) return item;
    const auto next = manifest.find(item->fallback);
    if (next == manifest.end()) return nullptr;
    item = &next->second;
  }
  return nullptr;
}

// Returns the part of one entry of the spine, or nullopt after adding a note.
std::optional<std::string> SpinePart(const Archive& archive, const Manifest& manifest,
                                     const std::string& base, const std::string& id,
                                     std::vector<std::string>& notes) {
  const auto item = manifest.find(id);
  if (item == manifest.end()) {
    notes.push_back(fmt::format("the book's manifest lacks the part '{}'", id));
    return std::nullopt;
  }
  const ManifestItem* html = HtmlItem(manifest, &item->second);
  if (html == nullptr) {
    notes.push_back(fmt::format("the part '{}' is {}, not text, and was left out",
                                item->second.href, item->second.media_type));
    return std::nullopt;
  }
  const auto reference = ResolveHref(base, html->href);
  if (!reference) {
    notes.push_back(
        fmt::format("the part '{}' lies outside of the book and was left out", html->href));
    return std::nullopt;
  }
  if (!archive.Contains(reference->path)) {
    notes.push_back(fmt::format("the part '{}' is missing from the file", reference->path));
    return std::nullopt;
  }
  return reference->path;
}

std::string PartOrNothing(const Archive& archive, const std::string& base, std::string_view href) {
  const auto reference = ResolveHref(base, href);
  return reference && archive.Contains(reference->path) ? reference->path : std::string();
}

void FindContents(const Archive& archive, const Manifest& manifest, const std::string& base,
                  std::string_view toc_id, EpubPackage& package) {
  for (const auto& [id, item] : manifest) {
    if (HasWord(item.properties, "nav")) package.nav = PartOrNothing(archive, base, item.href);
    if (id == toc_id || (toc_id.empty() && item.media_type == "application/x-dtbncx+xml")) {
      package.ncx = PartOrNothing(archive, base, item.href);
    }
  }
}

bool IsFontObfuscation(std::string_view algorithm) {
  return algorithm == "http://www.idpf.org/2008/embedding" ||
         algorithm == "http://ns.adobe.com/pdf/enc#RC";
}

void CheckNotProtected(Archive& archive, const EpubPackage& package) {
  if (!archive.Contains(kEncryption)) return;
  const std::unordered_set<std::string_view> spine(package.spine.begin(), package.spine.end());
  const pugi::xml_document encryption = ParsePart(archive, kEncryption);
  for (const pugi::xml_node data : encryption.document_element()) {
    if (LocalName(data) != "EncryptedData") continue;
    if (IsFontObfuscation(Attribute(Child(data, "EncryptionMethod"), "Algorithm"))) continue;
    const pugi::xml_node cipher = Child(Child(data, "CipherData"), "CipherReference");
    const auto reference = ResolveHref("", Attribute(cipher, "URI"));
    if (reference && spine.contains(reference->path)) {
      throw Error(Code::kUnsupported, "is protected (DRM)");
    }
  }
}

}  // namespace

EpubPackage ReadEpubPackage(Archive& archive) {
  const std::string path = PackagePath(archive);
  const pugi::xml_document tree = ParsePart(archive, path);
  const pugi::xml_node root = tree.document_element();
  const Manifest manifest = ReadManifest(root);
  const pugi::xml_node spine = Child(root, "spine");

  EpubPackage package;
  package.title = TextContent(FindDescendant(Child(root, "metadata"), "title"));
  FindContents(archive, manifest, path, Attribute(spine, "toc"), package);
  std::unordered_set<std::string> seen;
  for (const pugi::xml_node item : spine) {
    if (LocalName(item) != "itemref") continue;
    const std::string id(Attribute(item, "idref"));
    if (!seen.insert("id " + id).second) continue;
    auto part = SpinePart(archive, manifest, path, id, package.notes);
    if (!part || *part == package.nav || !seen.insert("part " + *part).second) continue;
    package.spine.push_back(*std::move(part));
  }
  CheckNotProtected(archive, package);
  return package;
}

}  // namespace tome
