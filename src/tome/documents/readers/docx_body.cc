#include "tome/documents/readers/docx_body.h"

#include <utility>

#include "tome/documents/readers/element_roles.h"
#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

enum class DocxRole {
  kDescend,
  kSkip,
  kParagraph,
  kTable,
  kTextBox,
  kAlternatives,
  kStructured,
  kRun,
  kText,
  kTab,
  kBreak,
  kLineEnd,
  kNoBreakHyphen,
  kFootnote,
  kEndnote,
};

const ElementRoles<DocxRole>& DocxRoles() {
  static const ElementRoles<DocxRole> roles{
      {"p", DocxRole::kParagraph},
      {"tbl", DocxRole::kTable},
      {"txbxContent", DocxRole::kTextBox},
      {"AlternateContent", DocxRole::kAlternatives},
      {"sdt", DocxRole::kStructured},
      {"r", DocxRole::kRun},
      {"t", DocxRole::kText},
      {"tab", DocxRole::kTab},
      {"ptab", DocxRole::kTab},
      {"br", DocxRole::kBreak},
      {"cr", DocxRole::kLineEnd},
      {"noBreakHyphen", DocxRole::kNoBreakHyphen},
      {"footnoteReference", DocxRole::kFootnote},
      {"endnoteReference", DocxRole::kEndnote},
      // Properties hold no text, but some of their elements are named as if they did
      // (w:tabs/w:tab).
      {"pPr", DocxRole::kSkip},
      {"rPr", DocxRole::kSkip},
      {"tblPr", DocxRole::kSkip},
      {"trPr", DocxRole::kSkip},
      {"tcPr", DocxRole::kSkip},
      {"sdtPr", DocxRole::kSkip},
      {"sectPr", DocxRole::kSkip},
      // Tracked changes have deleted this text or moved it away.
      {"del", DocxRole::kSkip},
      {"delText", DocxRole::kSkip},
      {"moveFrom", DocxRole::kSkip},
      // These are field codes and the reading aid above a ruby base.
      {"instrText", DocxRole::kSkip},
      {"delInstrText", DocxRole::kSkip},
      {"rt", DocxRole::kSkip},
  };
  return roles;
}

// Returns whether w:b, w:vanish, … is on: where present, it is on unless its value says otherwise.
bool IsOn(pugi::xml_node properties, std::string_view name) {
  const pugi::xml_node property = Child(properties, name);
  if (!property) return false;
  const std::string_view value = Attribute(property, "val");
  return value != "0" && value != "false" && value != "off";
}

// Returns the branch of mc:AlternateContent to read: the first choice, because all of them say the
// same.
pugi::xml_node Branch(pugi::xml_node alternatives) {
  const pugi::xml_node choice = Child(alternatives, "Choice");
  return choice ? choice : Child(alternatives, "Fallback");
}

// A generated table of contents repeats the headings.
bool IsTableOfContents(pugi::xml_node structured) {
  const pugi::xml_node gallery =
      Child(Child(Child(structured, "sdtPr"), "docPartObj"), "docPartGallery");
  return Attribute(gallery, "val") == "Table of Contents";
}

// A table of one cell is a frame around ordinary text.
bool IsFrame(pugi::xml_node table) {
  int rows = 0;
  int cells = 0;
  for (const pugi::xml_node row : table) {
    if (LocalName(row) != "tr") continue;
    if (++rows > 1) return false;
    for (const pugi::xml_node cell : row) {
      if (LocalName(cell) == "tc" && ++cells > 1) return false;
    }
  }
  return rows == 1 && cells == 1;
}

// Returns whether a vertical or horizontal merge has hidden the cell under another one.
bool IsCovered(pugi::xml_node cell) {
  const pugi::xml_node properties = Child(cell, "tcPr");
  const pugi::xml_node vertical = Child(properties, "vMerge");
  if (vertical && Attribute(vertical, "val") != "restart") return true;
  const pugi::xml_node horizontal = Child(properties, "hMerge");
  return horizontal && Attribute(horizontal, "val") != "restart";
}

}  // namespace

DocxNotes::DocxNotes(pugi::xml_node root) {
  for (const pugi::xml_node note : root) {
    const std::string_view type = Attribute(note, "type");
    const bool is_text = type.empty() || type == "normal";  // the others are separator lines
    if (is_text && !LocalName(note).empty()) notes_.emplace(Attribute(note, "id"), note);
  }
}

pugi::xml_node DocxNotes::Find(std::string_view id) const {
  const auto found = notes_.find(std::string(id));
  return found == notes_.end() ? pugi::xml_node() : found->second;
}

void DocxBodyReader::ReadBlocks(pugi::xml_node parent) {
  for (const pugi::xml_node node : parent) {
    switch (DocxRoles().Of(node)) {
      case DocxRole::kParagraph:
        ReadParagraph(node);
        break;
      case DocxRole::kTable:
        ReadTable(node);
        break;
      case DocxRole::kAlternatives:
        ReadBlocks(Branch(node));
        break;
      case DocxRole::kStructured:
        if (!IsTableOfContents(node)) ReadBlocks(node);
        break;
      case DocxRole::kDescend:
      case DocxRole::kTextBox:
        ReadBlocks(node);
        break;
      default:
        break;
    }
  }
}

void DocxBodyReader::ReadParagraph(pugi::xml_node paragraph) {
  control_.CheckStop();
  const pugi::xml_node properties = Child(paragraph, "pPr");
  ParagraphStyle style = context_.styles.Find(Attribute(Child(properties, "pStyle"), "val"));
  if (style.contents_entry) return;
  if (const auto level = OutlineLevel(properties)) style.heading_level = *level;
  if (auto list = ListPositionOf(properties)) style.list = std::move(list);

  InlineText text;
  Boxes boxes;
  ReadInline(paragraph, text, boxes);
  if (text.HasText()) {
    const std::string label =
        style.list ? context_.numbering.NextLabel(*style.list) : std::string();
    if (style.heading_level > 0) {
      text.Prepend(label.starts_with("•") ? "" : label);
      flow_.Heading(style.heading_level, text);
    } else {
      flow_.ListItem(label, text);
    }
  }
  for (const pugi::xml_node box : boxes) ReadBlocks(box);
}

void DocxBodyReader::ReadInline(pugi::xml_node parent, InlineText& out, Boxes& boxes) {
  for (const pugi::xml_node node : parent) {
    switch (DocxRoles().Of(node)) {
      case DocxRole::kText:
        out.text += TextContent(node);
        break;
      case DocxRole::kTab:
        out.text += '\t';
        break;
      case DocxRole::kBreak: {
        const std::string_view type = Attribute(node, "type");
        out.text += type == "page" || type == "column" ? ' ' : '\n';
        break;
      }
      case DocxRole::kLineEnd:
        out.text += '\n';
        break;
      case DocxRole::kNoBreakHyphen:
        out.text += '-';
        break;
      case DocxRole::kRun:
        if (!IsOn(Child(node, "rPr"), "vanish")) ReadInline(node, out, boxes);
        break;
      case DocxRole::kFootnote:
        ReadReference(node, context_.footnotes, out);
        break;
      case DocxRole::kEndnote:
        ReadReference(node, context_.endnotes, out);
        break;
      case DocxRole::kTextBox:
        boxes.push_back(node);
        break;
      case DocxRole::kAlternatives:
        ReadInline(Branch(node), out, boxes);
        break;
      case DocxRole::kDescend:
      case DocxRole::kStructured:
        ReadInline(node, out, boxes);
        break;
      default:
        break;
    }
  }
}

void DocxBodyReader::ReadReference(pugi::xml_node reference, DocxNotes& notes, InlineText& out) {
  if (in_note_) return;
  const std::string_view id = Attribute(reference, "id");
  const pugi::xml_node note = notes.Find(id);
  if (!note) return;
  int& mark = notes.MarkOf(id);
  if (mark > 0) {
    FlowWriter::CiteAgain(out, mark);
  } else {
    mark = flow_.Cite(out, NoteText(note));
  }
}

std::string DocxBodyReader::NoteText(pugi::xml_node note) {
  in_note_ = true;
  InlineText text;
  Boxes ignored;
  for (const pugi::xml_node paragraph : DocxRoles().ParagraphsIn(note)) {
    ReadInline(paragraph, text, ignored);
    text.text += ' ';
  }
  in_note_ = false;
  return std::move(text.text);
}

void DocxBodyReader::ReadTable(pugi::xml_node table) {
  if (IsFrame(table)) {
    return ReadBlocks(Child(Child(table, "tr"), "tc"));
  }
  flow_.BeginTable();
  ReadRows(table);
  flow_.EndTable();
}

void DocxBodyReader::ReadRows(pugi::xml_node parent) {
  for (const pugi::xml_node node : parent) {
    if (LocalName(node) == "tr") {
      if (Child(Child(node, "trPr"), "del")) continue;
      ReadCells(node);
      flow_.EndRow();
    } else if (DocxRoles().Of(node) == DocxRole::kDescend ||
               DocxRoles().Of(node) == DocxRole::kStructured) {
      ReadRows(node);
    }
  }
}

void DocxBodyReader::ReadCells(pugi::xml_node parent) {
  for (const pugi::xml_node node : parent) {
    if (LocalName(node) == "tc") {
      if (!IsCovered(node)) ReadBlocks(node);
      flow_.EndCell();
    } else if (DocxRoles().Of(node) == DocxRole::kDescend ||
               DocxRoles().Of(node) == DocxRole::kStructured) {
      ReadCells(node);
    }
  }
}

}  // namespace tome
