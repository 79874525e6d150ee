#include "tome/documents/readers/odt_body.h"

#include <limits>
#include <string_view>
#include <utility>

#include "tome/documents/readers/element_roles.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

enum class Role {
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

const ElementRoles<Role>& Roles() {
  static const ElementRoles<Role> roles{
      {"p", Role::kParagraph},
      {"h", Role::kParagraph},
      {"list-item", Role::kListItem},
      {"table", Role::kTable},
      {"text-box", Role::kTextBox},
      {"s", Role::kSpace},
      {"tab", Role::kTab},
      {"line-break", Role::kLineBreak},
      {"number", Role::kNumber},
      {"note", Role::kNote},
      // These are text deleted by tracked changes, and comments.
      {"tracked-changes", Role::kSkip},
      {"annotation", Role::kSkip},
      // The generated table of contents repeats the headings.
      {"table-of-content", Role::kSkip},
      // These are declarations, scripts, embedded objects and their descriptions.
      {"forms", Role::kSkip},
      {"shapes", Role::kSkip},
      {"script", Role::kSkip},
      {"event-listeners", Role::kSkip},
      {"object", Role::kSkip},
      {"title", Role::kSkip},
      {"desc", Role::kSkip},
      // These are the reading aid above a ruby base, and text that is not shown.
      {"ruby-text", Role::kSkip},
      {"hidden-text", Role::kSkip},
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
    if (other != row && Roles().Of(other) == Role::kDescend &&
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
    switch (Roles().Of(node)) {
      case Role::kParagraph:
        ReadParagraph(node);
        break;
      case Role::kListItem:
        ReadListItem(node);
        break;
      case Role::kTable:
        ReadTable(node);
        break;
      case Role::kDescend:
      case Role::kTextBox:
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
    switch (Roles().Of(node)) {
      // text:c gives a number of spaces. One is enough, because the white space of a paragraph
      // collapses.
      case Role::kSpace:
        out.text += ' ';
        break;
      case Role::kTab:
        out.text += '\t';
        break;
      case Role::kLineBreak:
        out.text += '\n';
        break;
      case Role::kNumber:
        out.text += TextContent(node) + ' ';
        break;
      case Role::kNote:
        if (!in_note_) flow_.Cite(out, NoteText(Child(node, "note-body")));
        break;
      case Role::kTextBox:
        boxes.push_back(node);
        break;
      case Role::kDescend:
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
  for (const pugi::xml_node paragraph : Roles().ParagraphsIn(body)) {
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
    } else if (Roles().Of(node) == Role::kDescend) {
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
