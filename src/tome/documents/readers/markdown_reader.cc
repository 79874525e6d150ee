#include "tome/documents/readers/markdown_reader.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/documents/readers/decoded_file.h"
#include "tome/documents/readers/front_matter.h"
#include "tome/documents/readers/html_reader.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct FreeNode {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};
struct FreeParser {
  void operator()(cmark_parser* parser) const { cmark_parser_free(parser); }
};
struct FreeMemory {
  void operator()(char* memory) const { std::free(memory); }
};

using Parser = std::unique_ptr<cmark_parser, FreeParser>;
using Tree = std::unique_ptr<cmark_node, FreeNode>;

constexpr int kOptions = CMARK_OPT_FOOTNOTES | CMARK_OPT_UNSAFE;

Parser NewParser() {
  static std::once_flag registered;
  std::call_once(registered, cmark_gfm_core_extensions_ensure_registered);
  Parser parser(cmark_parser_new(kOptions));
  for (const char* name : {"table", "strikethrough", "autolink", "tasklist"}) {
    cmark_syntax_extension* extension = cmark_find_syntax_extension(name);
    TOME_CHECK(extension != nullptr);
    cmark_parser_attach_syntax_extension(parser.get(), extension);
  }
  return parser;
}

// Returns the name of the tag that `markup` begins with, in lower case.
std::string TagName(std::string_view markup) {
  markup.remove_prefix(markup.starts_with("</") ? 2 : 1);
  std::string name;
  for (const char c : markup) {
    if (c >= 'A' && c <= 'Z') {
      name += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      name += c;
    } else {
      break;
    }
  }
  return name;
}

// Returns true for inline tags that may pass as HTML, because they only mark text up. Any other tag
// ("List<String>", "use <title> or <select>") would vanish as an unknown element, or swallow all
// text that follows it.
bool IsMarkupTag(std::string_view markup) {
  constexpr std::array<std::string_view, 32> kTags = {
      "a",  "abbr", "b",    "bdi",   "bdo",    "big", "br",   "cite", "code", "del", "dfn",
      "em", "font", "i",    "img",   "ins",    "kbd", "mark", "q",    "rp",   "rt",  "ruby",
      "s",  "samp", "span", "small", "strong", "sub", "sup",  "tt",   "u",    "var"};
  if (markup.starts_with("<!--") || markup.starts_with("<?")) return true;
  return std::find(kTags.begin(), kTags.end(), TagName(markup)) != kTags.end();
}

// Returns true for an HTML block that opens an element whose content is raw text up to its end tag
// and does not close it. Such a block would swallow the rest of the document.
bool SwallowsTheRest(std::string_view block) {
  std::string lower(block);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const char* name : {"title", "textarea", "script", "style", "xmp", "iframe", "noembed",
                           "noframes", "plaintext", "select", "button", "template", "noscript"}) {
    const size_t open = lower.rfind(fmt::format("<{}", name));
    if (open == std::string::npos) continue;
    if (lower.find(fmt::format("</{}", name), open) == std::string::npos) return true;
  }
  return false;
}

void ReplaceByText(cmark_node* node) {
  const std::string literal = cmark_node_get_literal(node);
  const bool is_block = cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK;
  cmark_node* replacement = cmark_node_new(is_block ? CMARK_NODE_CODE_BLOCK : CMARK_NODE_TEXT);
  cmark_node_set_literal(replacement, literal.c_str());
  cmark_node_replace(node, replacement);
  cmark_node_free(node);
}

// Turns raw HTML that would lose text into text.
void TameRawHtml(cmark_node* root) {
  cmark_iter* iterator = cmark_iter_new(root);
  for (cmark_event_type event; (event = cmark_iter_next(iterator)) != CMARK_EVENT_DONE;) {
    cmark_node* node = cmark_iter_get_node(iterator);
    const cmark_node_type type = cmark_node_get_type(node);
    const bool is_inline = type == CMARK_NODE_HTML_INLINE;
    if (!is_inline && type != CMARK_NODE_HTML_BLOCK) continue;
    const char* literal = cmark_node_get_literal(node);
    const std::string_view markup = literal == nullptr ? "" : literal;
    // Both kinds of node are leaves: the iterator has moved past them, and its next node outlives
    // them.
    if (is_inline ? !IsMarkupTag(markup) : SwallowsTheRest(markup)) ReplaceByText(node);
  }
  cmark_iter_free(iterator);
}

std::string RenderHtml(std::string_view markdown) {
  const Parser parser = NewParser();
  cmark_parser_feed(parser.get(), markdown.data(), markdown.size());
  const Tree tree(cmark_parser_finish(parser.get()));
  if (tree == nullptr) throw Error(Code::kCorrupt, "the Markdown cannot be parsed");
  TameRawHtml(tree.get());
  const std::unique_ptr<char, FreeMemory> html(
      cmark_render_html(tree.get(), kOptions, cmark_parser_get_syntax_extensions(parser.get())));
  return html.get();
}

}  // namespace

Document ReadMarkdown(std::string_view bytes, const ReadOptions& options) {
  if (bytes.size() > 2 * kMaxHtmlBytes) {  // UTF-16 takes up to twice what UTF-8 does
    throw Error(Code::kUnsupported,
                fmt::format("Markdown of {} MiB is larger than the limit of {} MiB; split the file",
                            bytes.size() >> 20, kMaxHtmlBytes >> 20));
  }
  DecodedFile file;
  DecodeFile(bytes, options, std::nullopt, file);
  if (file.utf8.size() > kMaxHtmlBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("Markdown of {} MiB is larger than the limit of {} MiB; split the file",
                            file.utf8.size() >> 20, kMaxHtmlBytes >> 20));
  }
  const FrontMatter front_matter = ReadFrontMatter(file.utf8);
  DocumentBuilder builder("markdown");
  // Markdown goes by way of HTML, because it is defined by the HTML that it stands for. Half of its
  // real documents hold raw HTML (tables, <details>, <br>), which only a parser of the whole page
  // reads correctly. Lists, tables and Chinese line ends thus have one set of rules. Nothing counts
  // as boilerplate: an author who writes <nav> or class="toc" by hand means it.
  AppendHtml(RenderHtml(file.utf8.substr(front_matter.size)),
             {.heading_offset = 0, .keep_boilerplate = true}, options, builder);
  builder.SetTitle(front_matter.title);
  builder.SetEncoding(file.encoding);
  for (const Note& note : file.notes) builder.AddNote(note);
  Document document = std::move(builder).Finish();
  if (document.text.empty()) throw Error(Code::kUnsupported, "the file holds no text");
  if (document.title.empty()) {
    const auto first = std::find_if(document.sections.begin(), document.sections.end(),
                                    [](const Section& section) { return section.level == 1; });
    if (first != document.sections.end()) document.title = first->title;
  }
  return document;
}

}  // namespace tome
