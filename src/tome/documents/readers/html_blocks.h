// HtmlBlocks makes blocks and lines of the text of an HTML page. It applies the white space rules
// of HTML on the way into a DocumentBuilder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document_builder.h"

namespace tome {

// Collapses white space as a browser shows it. A run of white space becomes one space. A line end
// of the source between two characters of a script written without spaces is dropped (CSS Text
// Module Level 3, section 4.1.3), so that wrapped Chinese stays one piece. The result has no white
// space at either end.
std::string CollapseHtmlSpace(std::string_view utf8);

// HtmlBlocks takes text in reading order and the places where lines, cells, rows and blocks end.
class HtmlBlocks {
 public:
  explicit HtmlBlocks(DocumentBuilder& builder) : builder_(builder) {}

  void Text(std::string_view text);
  void Image(std::string_view alternative);  // used if the block has no other text
  void EndLine();                            // <br>; two in a row end the block
  void EndBlock();

  // Turn the text since the last end of a block into a heading, or into the prefix of the next
  // block.
  void EndHeading(int level);
  void EndLabel();

  // `prefix` stands before the text of the next block: "• ", "3. ". A second prefix before any text
  // follows the first one (a list that begins with a list).
  void Prefix(std::string_view prefix);
  void DropPrefix() { prefix_.clear(); }

  // In preformatted text white space is kept and '\n' ends a line.
  void BeginPreformatted();
  void EndPreformatted();

  // Between BeginRow and EndRow, text gathers in cells and EndBlock ends no block. A row becomes
  // one line "a | b".
  void BeginTable() { EndBlock(); }
  void BeginRow();
  void EndCell();
  void EndRow();
  void EndTable();

 private:
  void FlushLines();
  std::string TakePrefix();

  DocumentBuilder& builder_;
  std::string run_;                 // text of the current line, white space as in the source
  std::vector<std::string> lines_;  // lines of the current block, collapsed
  std::string prefix_;
  std::string alternative_;
  std::string cell_;
  std::vector<std::string> cells_;
  bool in_row_ = false;
  bool preformatted_ = false;
};

}  // namespace tome
