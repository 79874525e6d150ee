#include "tome/documents/readers/odt_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/readers/archive.h"
#include "tome/documents/readers/odt_body.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

constexpr std::string_view kContent = "content.xml";
constexpr std::string_view kMeta = "meta.xml";
constexpr std::string_view kManifest = "META-INF/manifest.xml";

// An encrypted entry is a stored entry whose key is described in the manifest.
void CheckNotEncrypted(Archive& archive) {
  const std::optional<std::string> content = archive.Read(kManifest);
  if (!content) return;
  const pugi::xml_document manifest = ParseXml(*content, kManifest);
  for (const pugi::xml_node entry : manifest.document_element()) {
    if (Attribute(entry, "full-path") == kContent && Child(entry, "encryption-data")) {
      throw Error(Code::kUnsupported, "is encrypted; save it without a password");
    }
  }
}

}  // namespace

Document ReadOdt(std::string_view bytes, const ReadOptions& options) {
  Archive archive(bytes);
  CheckNotEncrypted(archive);
  DocumentBuilder builder("odt");
  if (const std::optional<std::string> meta = archive.Read(kMeta)) {
    const pugi::xml_document tree = ParseXml(*meta, kMeta);
    builder.SetTitle(TextContent(Child(Child(tree.document_element(), "meta"), "title")));
  }
  const pugi::xml_document content = ParseXml(archive.ReadRequired(kContent), kContent);
  const pugi::xml_node text = Child(Child(content.document_element(), "body"), "text");
  if (!text) throw Error(Code::kUnsupported, "is an OpenDocument file, but no text document");
  FlowWriter flow(builder);
  OdtBodyReader(flow, options.control).ReadBlocks(text);
  if (builder.size() == 0) throw Error(Code::kUnsupported, "holds no text");
  return std::move(builder).Finish();
}

}  // namespace tome
