// Builds a Document block by block, in reading order: what a reader of a structured format (HTML,
// DOCX, PDF, …) writes into. Takes care of everything Document promises about its text:
// normalization, whitespace, block separation, nesting of sections, spans, and the limit on size.
//
//   DocumentBuilder builder("html");
//   builder.Heading(1, "Chapter 1");
//   builder.Paragraph("It was  a\ndark night.");     // white space collapses to single spaces
//   builder.Line("a | b");                           // lines of one block: a table, code, verse
//   builder.Line("c | d");
//   Document document = std::move(builder).Finish();
//
// All input may be any bytes: invalid UTF-8 becomes U+FFFD, control characters are dropped.
// Every call throws Error(kOutOfMemory) once the text passes kMaxTextBytes (documents/limits.h).
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

  // One block whose white space, line ends included, collapses to single spaces. Empty ones are
  // ignored.
  void Paragraph(std::string_view text);

  // One line of a block of lines; white space inside it is kept, at its end dropped. The block ends
  // with the next call of EndBlock, Paragraph, Heading, BeginSection or BeginPage.
  void Line(std::string_view text);
  void EndBlock();

  // Starts a page. Text before the first call belongs to page 1. A paragraph that runs on over a
  // page break is given with ContinueParagraph.
  void BeginPage(std::string_view label);

  // Appends to the block before instead of starting a new one: the paragraph ran on over a page
  // break. `joint` stands between the two parts (" " or "").
  void ContinueParagraph(std::string_view text, std::string_view joint);

  // Bytes of text so far, and whether there is any.
  uint64_t size() const { return document_.text.size(); }

  // Closes everything and gives the document. The builder is spent.
  Document Finish() &&;

 private:
  void Append(std::string_view normalized);
  void StartBlock();
  void PlacePending();
  void PlacePage();
  void CloseSections(int level, uint64_t end);

  Document document_;
  std::vector<int64_t> open_sections_;  // indices into document_.sections, outermost first
  int64_t first_pending_section_ = 0;   // open ones from here on begin with the next block
  bool in_lines_ = false;
  bool page_pending_ = false;  // BeginPage was called; its span begins with the next block
  std::string page_label_;
};

}  // namespace tome
