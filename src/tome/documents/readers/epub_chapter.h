// Joins the chapters of an EPUB, each read from its XHTML part as a Document of its own, into one.
//
// The table of contents and the headings of the chapters often say the same thing twice, and as
// often only one of them says it. For each part:
//
//   an entry whose title is a heading      that heading, at the entry's level
//   an entry whose title is a paragraph    a section that begins there: many books set their
//                                          headings as paragraphs
//   an entry that leads to the part's top  the heading that the part begins with, whatever its
//                                          words, at the entry's level; without one, a section
//                                          that begins with the part
//   any other entry                        nothing
//   a heading without entry                as far below the heading before as its level says
//
// Titles are compared without white space and without the case of Latin letters.
#pragma once

#include <span>

#include "tome/documents/document_builder.h"
#include "tome/documents/readers/epub_contents.h"

namespace tome {

class ChapterJoiner {
 public:
  // `builder` outlives this object.
  explicit ChapterJoiner(DocumentBuilder& builder) : builder_(builder) {}

  // Appends the next part; `entries` are those that lead to it, in order.
  void Append(const Document& chapter, std::span<const ContentsEntry> entries);

 private:
  DocumentBuilder& builder_;
  int shift_ = 0;  // from the levels of a chapter's headings to those of the book
};

}  // namespace tome
