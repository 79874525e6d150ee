#include "tome/documents/readers/docx_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/readers/archive.h"
#include "tome/documents/readers/docx_body.h"
#include "tome/documents/readers/docx_parts.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

// OLE compound files begin like this: Word's files with a password, and .doc files.
constexpr std::string_view kCompoundFile = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

// Returns an empty tree for an absent part.
pugi::xml_document ParsePart(Archive& archive, const std::string& name) {
  const std::optional<std::string> content = archive.Read(name);
  return content ? ParseXml(*content, name) : pugi::xml_document();
}

}  // namespace

Document ReadDocx(std::string_view bytes, const ReadOptions& options) {
  if (bytes.starts_with(kCompoundFile)) {
    throw Error(Code::kUnsupported,
                "is encrypted with a password, or an old .doc file; save it as .docx without one");
  }
  Archive archive(bytes);
  const DocxParts parts = FindDocxParts(archive);
  const pugi::xml_document footnotes = ParsePart(archive, parts.footnotes);
  const pugi::xml_document endnotes = ParsePart(archive, parts.endnotes);
  DocxContext context{
      .styles = DocxStyles(ParsePart(archive, parts.styles).document_element()),
      .numbering = DocxNumbering(ParsePart(archive, parts.numbering).document_element()),
      .footnotes = DocxNotes(footnotes.document_element()),
      .endnotes = DocxNotes(endnotes.document_element()),
  };
  DocumentBuilder builder("docx");
  const pugi::xml_document core = ParsePart(archive, parts.core_properties);
  builder.SetTitle(TextContent(Child(core.document_element(), "title")));

  const pugi::xml_document document =
      ParseXml(archive.ReadRequired(parts.document), parts.document);
  FlowWriter flow(builder);
  DocxBodyReader reader(context, flow, options.control);
  reader.ReadBlocks(Child(document.document_element(), "body"));
  if (builder.size() == 0) throw Error(Code::kUnsupported, "holds no text");
  return std::move(builder).Finish();
}

}  // namespace tome
