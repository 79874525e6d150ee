// DocumentBuilder builds a Document block by block, in reading order. Readers of structured formats
// (HTML, DOCX, PDF, …) write into it. It keeps everything that Document promises about its text:
// normalization, white space, separation of blocks, nesting of sections, spans, and the limit on
// size.
//
//   DocumentBuilder builder("html");
//   builder.Heading(1, "Chapter 1");
//   builder.Paragraph("It was  a\ndark night.");     // white space collapses to single spaces
//   builder.Line("a | b");                           // lines of one block: a table, code, verse
//   builder.Line("c | d");
//   Document document = std::move(builder).Finish();
//
// All input may be any bytes: invalid UTF-8 becomes U+FFFD, and control characters are dropped. A
// call throws Error(kOutOfMemory) where the text would pass kMaxTextBytes, and Error(kUnsupported)
// past kMaxSections and kMaxPages (documents/limits.h).
#pragma once

#include <string>
#include <string_view>

#include "tome/documents/document.h"

namespace tome {

class DocumentBuilder {
 public:
  explicit DocumentBuilder(std::string_view format);

  void SetTitle(std::string_view title);
  void SetEncoding(std::string_view encoding);
  void AddNote(const Note& note);

  // A heading becomes a block of the text and opens a section; it closes open sections of the same
  // or a deeper level. Levels may skip (1 then 3). A heading without visible text is ignored.
  void Heading(int level, std::string_view title);

  // Opens a section whose heading is not part of the text (a PDF outline entry, an EPUB contents
  // entry).
  void BeginSection(int level, std::string_view title);

  // Writes one block. Its white space, line ends included, collapses to single spaces. A paragraph
  // without visible text is ignored.
  void Paragraph(std::string_view text);

  // Writes one line of a block of lines. White space inside it is kept, at its end dropped. An
  // empty line is ignored. The block ends with the next call of EndBlock, Paragraph, Heading,
  // BeginSection or BeginPage.
  void Line(std::string_view text);
  void EndBlock();

  // Starts a page. Text before the first call belongs to page 1. Use ContinueParagraph for a
  // paragraph that runs on over a page break.
  void BeginPage(std::string_view label);

  // Appends to the previous block instead of starting a new one, for a paragraph that runs on over
  // a page break. `joint` stands between the two parts (" " or "").
  void ContinueParagraph(std::string_view text, std::string_view joint);

  // Returns the bytes of text so far.
  uint64_t size() const { return document_.text.size(); }

  // Closes all sections and pages and returns the document. The builder is then spent.
  Document Finish() &&;

 private:
  void Append(std::string_view normalized);
  void StartBlock();
  void PlacePending();
  void PlacePage();
  void CloseSections(int level, uint64_t end);

  Document document_;
  std::vector<int64_t> open_sections_;  // indices into document_.sections, outermost first
  int64_t first_pending_section_ = 0;   // open sections from here on begin with the next block
  bool in_lines_ = false;
  bool page_pending_ = false;  // BeginPage was called; its span begins with the next block
  std::string page_label_;
};

}  // namespace tome
