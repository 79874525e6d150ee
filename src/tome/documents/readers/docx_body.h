// DocxBodyReader reads the body of a DOCX (w:document) into a FlowWriter.
#pragma once

#include <pugixml.hpp>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/readers/docx_numbering.h"
#include "tome/documents/readers/docx_styles.h"
#include "tome/documents/readers/flow_writer.h"

namespace tome {

// DocxNotes holds the notes of footnotes.xml or endnotes.xml by w:id, and the marks of cited notes.
class DocxNotes {
 public:
  DocxNotes() = default;
  // `root` is w:footnotes or w:endnotes and must outlive this object.
  explicit DocxNotes(pugi::xml_node root);

  // Returns a null node without such a note.
  pugi::xml_node Find(std::string_view id) const;
  // Returns the number of the note's mark. It is 0 until the caller cites the note and sets it.
  int& MarkOf(std::string_view id) { return marks_[std::string(id)]; }

 private:
  std::unordered_map<std::string, pugi::xml_node> notes_;
  std::unordered_map<std::string, int> marks_;
};

// DocxContext holds the parts of the file that the body refers to.
struct DocxContext {
  DocxStyles styles;
  DocxNumbering numbering;
  DocxNotes footnotes;
  DocxNotes endnotes;
};

class DocxBodyReader {
 public:
  // The arguments must outlive this object.
  DocxBodyReader(DocxContext& context, FlowWriter& flow, const WorkControl& control)
      : context_(context), flow_(flow), control_(control) {}

  // Reads the paragraphs and tables below `parent`. Recursive: at most kMaxElementDepth deep, which
  // ParseXml has checked.
  void ReadBlocks(pugi::xml_node parent);

 private:
  // Text boxes float: they are read after the paragraph that they are anchored in.
  using Boxes = std::vector<pugi::xml_node>;

  void ReadParagraph(pugi::xml_node paragraph);
  void ReadInline(pugi::xml_node parent, InlineText& out, Boxes& boxes);
  void ReadReference(pugi::xml_node reference, DocxNotes& notes, InlineText& out);
  std::string NoteText(pugi::xml_node note);
  void ReadTable(pugi::xml_node table);
  void ReadRows(pugi::xml_node parent);
  void ReadCells(pugi::xml_node parent);

  DocxContext& context_;
  FlowWriter& flow_;
  const WorkControl& control_;
  bool in_note_ = false;  // reading a note; notes inside notes are left out
};

}  // namespace tome
