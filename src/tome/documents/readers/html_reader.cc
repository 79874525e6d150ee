#include "tome/documents/readers/html_reader.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/documents/readers/decoded_file.h"
#include "tome/documents/readers/html_blocks.h"
#include "tome/documents/readers/html_source.h"
#include "tome/documents/readers/html_survey.h"
#include "tome/documents/readers/html_tree.h"
#include "tome/documents/readers/html_walker.h"

namespace tome {

std::string AppendHtml(std::string_view utf8, const HtmlFragmentOptions& options,
                       const ReadOptions& read_options, DocumentBuilder& builder) {
  std::string converted;
  if (utf8.size() <= kMaxHtmlBytes && IsXhtml(utf8)) {
    converted = XhtmlToHtml(utf8);
    utf8 = converted;
  }
  const HtmlTree tree(utf8, read_options.control);
  const HtmlSurvey survey = SurveyHtml(tree);
  HtmlBlocks blocks(builder);
  HtmlWalker(survey, options, blocks).Walk(tree, read_options.control);
  return CollapseHtmlSpace(survey.title);
}

Document ReadHtml(std::string_view bytes, const ReadOptions& options) {
  if (bytes.size() > 2 * kMaxHtmlBytes) {  // UTF-16 takes up to twice what UTF-8 does
    throw Error(Code::kUnsupported,
                fmt::format("HTML of {} MiB is larger than the limit of {} MiB; split the file",
                            bytes.size() >> 20, kMaxHtmlBytes >> 20));
  }
  const std::optional<std::string> declared = DeclaredEncoding(bytes);
  DecodedFile file;
  DecodeFile(bytes, options, declared, file);
  DocumentBuilder builder("html");
  builder.SetTitle(AppendHtml(file.utf8, {}, options, builder));
  builder.SetEncoding(file.encoding);
  for (const Note& note : file.notes) builder.AddNote(note);
  Document document = std::move(builder).Finish();
  if (document.text.empty()) throw Error(Code::kUnsupported, "the page holds no text");
  if (document.title.empty() && !document.sections.empty() && document.sections[0].level == 1) {
    document.title = document.sections[0].title;
  }
  return document;
}

}  // namespace tome
