#include "tome/documents/readers/odt_body.h"

#include <limits>
#include <string_view>
#include <utility>

#include "tome/documents/readers/element_roles.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

enum class OdtRole {
  kDescend,
  kSkip,
  kParagraph,  // a heading too
  kListItem,
  kTable,
  kTextBox,
  kSpace,
  kTab,
  kLineBreak,
  kNumber,
  kNote,
};

const ElementRoles<OdtRole>& OdtRoles() {
  static const ElementRoles<OdtRole> roles{
      {"p", OdtRole::kParagraph},
      {"h", OdtRole::kParagraph},
      {"list-item", OdtRole::kListItem},
      {"table", OdtRole::kTable},
      {"text-box", OdtRole::kTextBox},
      {"s", OdtRole::kSpace},
      {"tab", OdtRole::kTab},
      {"line-break", OdtRole::kLineBreak},
      {"number", OdtRole::kNumber},
      {"note", OdtRole::kNote},
      // These are text deleted by tracked changes, and comments.
      {"tracked-changes", OdtRole::kSkip},
      {"annotation", OdtRole::kSkip},
      // The generated table of contents repeats the headings.
      {"table-of-content", OdtRole::kSkip},
      // These are declarations, scripts, embedded objects and their descriptions.
      {"forms", OdtRole::kSkip},
      {"shapes", OdtRole::kSkip},
      {"script", OdtRole::kSkip},
      {"event-listeners", OdtRole::kSkip},
      {"object", OdtRole::kSkip},
      {"title", OdtRole::kSkip},
      {"desc", OdtRole::kSkip},
      // These are the reading aid above a ruby base, and text that is not shown.
      {"ruby-text", OdtRole::kSkip},
      {"hidden-text", OdtRole::kSkip},
  };
  return roles;
}

// A table of one cell is a frame around ordinary text. Returns that cell, or a null node for any
// other table.
pugi::xml_node FramedCell(pugi::xml_node table) {
  const pugi::xml_node row = Child(table, "table-row");
  const pugi::xml_node cell = Child(row, "table-cell");
  for (pugi::xml_node next = cell.next_sibling(); next; next = next.next_sibling()) {
    if (!LocalName(next).empty()) return {};
  }
  for (const pugi::xml_node other : table) {
    if (other != row && OdtRoles().Of(other) == OdtRole::kDescend &&
        FindDescendant(other, "table-cell")) {
      return {};
    }
  }
  return cell;
}

// Returns a count from the file: at least 1, and 1 where it is no number.
uint64_t Repeat(pugi::xml_node node, std::string_view attribute) {
  const int count = ParseInt(Attribute(node, attribute), 1, std::numeric_limits<int>::max(), 1);
  return static_cast<uint64_t>(count);
}

}  // namespace

void OdtBodyReader::ReadBlocks(pugi::xml_node parent) {
  for (const pugi::xml_node node : parent) {
    switch (OdtRoles().Of(node)) {
      case OdtRole::kParagraph:
        ReadParagraph(node);
        break;
      case OdtRole::kListItem:
        ReadListItem(node);
        break;
      case OdtRole::kTable:
        ReadTable(node);
        break;
      case OdtRole::kDescend:
      case OdtRole::kTextBox:
        ReadBlocks(node);
        break;
      default:
        break;
    }
  }
}

void OdtBodyReader::ReadParagraph(pugi::xml_node paragraph) {
  control_.CheckStop();
  InlineText text;
  Boxes boxes;
  ReadInline(paragraph, text, boxes);
  if (text.HasText()) {
    const std::string label = std::exchange(label_, {});
    if (LocalName(paragraph) == "h") {
      flow_.Heading(ParseInt(Attribute(paragraph, "outline-level"), 1, 10, 1), text);
    } else {
      flow_.ListItem(label, text);
    }
  }
  for (const pugi::xml_node box : boxes) ReadBlocks(box);
}

void OdtBodyReader::ReadInline(pugi::xml_node parent, InlineText& out, Boxes& boxes) {
  for (const pugi::xml_node node : parent) {
    if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) {
      for (const char c : std::string_view(node.value())) out.text += c == '\n' ? ' ' : c;
      continue;
    }
    switch (OdtRoles().Of(node)) {
      // text:c gives a number of spaces. One is enough, because the white space of a paragraph
      // collapses.
      case OdtRole::kSpace:
        out.text += ' ';
        break;
      case OdtRole::kTab:
        out.text += '\t';
        break;
      case OdtRole::kLineBreak:
        out.text += '\n';
        break;
      case OdtRole::kNumber:
        out.text += TextContent(node) + ' ';
        break;
      case OdtRole::kNote:
        if (!in_note_) flow_.Cite(out, NoteText(Child(node, "note-body")));
        break;
      case OdtRole::kTextBox:
        boxes.push_back(node);
        break;
      case OdtRole::kDescend:
        ReadInline(node, out, boxes);
        break;
      default:
        break;
    }
  }
}

std::string OdtBodyReader::NoteText(pugi::xml_node body) {
  in_note_ = true;
  InlineText text;
  Boxes ignored;
  for (const pugi::xml_node paragraph : OdtRoles().ParagraphsIn(body)) {
    ReadInline(paragraph, text, ignored);
    text.text += ' ';
  }
  in_note_ = false;
  return std::move(text.text);
}

void OdtBodyReader::ReadListItem(pugi::xml_node item) {
  const pugi::xml_node number = Child(item, "number");
  label_ = number ? TextContent(number) + ' ' : "• ";
  ReadBlocks(item);
  label_.clear();
}

void OdtBodyReader::ReadTable(pugi::xml_node table) {
  if (const pugi::xml_node cell = FramedCell(table)) return ReadBlocks(cell);
  flow_.BeginTable();
  ReadRows(table);
  flow_.EndTable();
}

void OdtBodyReader::ReadRows(pugi::xml_node parent) {
  for (const pugi::xml_node node : parent) {
    if (LocalName(node) == "table-row") {
      ReadCells(node);
      flow_.EndRow(Repeat(node, "number-rows-repeated"));
    } else if (OdtRoles().Of(node) == OdtRole::kDescend) {
      ReadRows(node);  // table-header-rows, table-row-group
    }
  }
}

void OdtBodyReader::ReadCells(pugi::xml_node row) {
  for (const pugi::xml_node node : row) {
    const std::string_view name = LocalName(node);
    if (name == "table-cell") ReadBlocks(node);
    if (name == "table-cell" || name == "covered-table-cell") {
      flow_.EndCell(Repeat(node, "number-columns-repeated"));
    }
  }
}

}  // namespace tome
