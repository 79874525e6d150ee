// OdtBodyReader reads the body of an ODT (office:text) into a FlowWriter.
#pragma once

#include <pugixml.hpp>

#include <string>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/readers/flow_writer.h"

namespace tome {

class OdtBodyReader {
 public:
  // The arguments must outlive this object.
  OdtBodyReader(FlowWriter& flow, const WorkControl& control) : flow_(flow), control_(control) {}

  // Reads the headings, paragraphs, lists and tables below `parent`. Recursive: at most
  // kMaxElementDepth deep, which ParseXml has checked.
  void ReadBlocks(pugi::xml_node parent);

 private:
  // Text boxes float: they are read after the paragraph that they are anchored in.
  using Boxes = std::vector<pugi::xml_node>;

  void ReadParagraph(pugi::xml_node paragraph);
  void ReadInline(pugi::xml_node parent, InlineText& out, Boxes& boxes);
  std::string NoteText(pugi::xml_node body);
  void ReadListItem(pugi::xml_node item);
  void ReadTable(pugi::xml_node table);
  void ReadRows(pugi::xml_node parent);
  void ReadCells(pugi::xml_node row);

  FlowWriter& flow_;
  const WorkControl& control_;
  std::string label_;     // of the list item whose first paragraph is yet to come
  bool in_note_ = false;  // reading a note; notes inside notes are left out
};

}  // namespace tome
