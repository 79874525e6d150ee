#include "tome/documents/readers/epub_reader.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/readers/archive.h"
#include "tome/documents/readers/epub_chapter.h"
#include "tome/documents/readers/epub_contents.h"
#include "tome/documents/readers/epub_package.h"
#include "tome/documents/readers/epub_part.h"
#include "tome/documents/readers/html_reader.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

using ContentsFn = std::vector<ContentsEntry> (*)(pugi::xml_node root, std::string_view part);

// Returns no entries where the part is absent or damaged. Titles then come from the headings alone.
std::vector<ContentsEntry> ReadContents(Archive& archive, const std::string& part, ContentsFn read,
                                        DocumentBuilder& builder) {
  if (part.empty()) return {};
  try {
    const pugi::xml_document tree = ParseXml(EpubPartText(archive.ReadRequired(part), part), part);
    return read(tree.document_element(), part);
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) throw;
    builder.AddNote(fmt::format("the table of contents was left out: {}", error.what()));
    return {};
  }
}

// Contents maps a part to the entries that lead to it.
using Contents = std::unordered_map<std::string, std::vector<ContentsEntry>>;

Contents ReadContents(Archive& archive, const EpubPackage& package, DocumentBuilder& builder) {
  auto entries = ReadContents(archive, package.nav, ContentsOfNav, builder);
  if (entries.empty()) entries = ReadContents(archive, package.ncx, ContentsOfNcx, builder);
  Contents contents;
  for (ContentsEntry& entry : entries) contents[entry.path].push_back(std::move(entry));
  return contents;
}

Document ReadChapter(std::string bytes, const std::string& part, const ReadOptions& options) {
  DocumentBuilder builder("html");
  try {
    AppendHtml(EpubPartText(std::move(bytes), part), {.keep_boilerplate = true}, options, builder);
  } catch (const Error& error) {
    throw error.In(part);
  }
  return std::move(builder).Finish();
}

}  // namespace

Document ReadEpub(std::string_view bytes, const ReadOptions& options) {
  Archive archive(bytes);
  const EpubPackage package = ReadEpubPackage(archive);
  DocumentBuilder builder("epub");
  builder.SetTitle(package.title);
  for (const std::string& note : package.notes) builder.AddNote(note);
  const Contents contents = ReadContents(archive, package, builder);

  Archive::Entries parts = archive.ReadAll(package.spine);
  ChapterJoiner joiner(builder);
  uint64_t done = 0;
  for (const std::string& name : package.spine) {
    options.control.CheckStop();
    options.control.Report("reading", done++, package.spine.size());
    const auto part = parts.extract(name);
    if (part.empty()) continue;
    const Document chapter = ReadChapter(std::move(part.mapped()), name, options);
    const auto entries = contents.find(name);
    joiner.Append(chapter,
                  entries == contents.end() ? std::span<const ContentsEntry>() : entries->second);
  }
  if (builder.size() == 0) throw Error(Code::kUnsupported, "holds no text");
  return std::move(builder).Finish();
}

}  // namespace tome
