// ChapterJoiner joins the chapters of an EPUB into one Document. Each chapter was read from its
// XHTML part as a Document of its own.
//
// The table of contents and the headings of the chapters often say the same thing twice, and as
// often only one of them says it. These rules hold for each part:
//
//   an entry whose title is a heading      the heading opens a section at the entry's level
//   an entry whose title is a paragraph    a section begins there: many books set their headings as
//                                          paragraphs
//   an entry that leads to the part's top  the heading that the part begins with, whatever its
//                                          words, opens a section at the entry's level; without
//                                          such a heading, a section begins with the part
//   an entry without link ("Part One")     a section begins with the part, if the entry comes
//                                          before all entries with a link
//   any other entry                        is ignored
//   a heading without entry                opens a section as far below the heading before as its
//                                          level says
//
// Titles are compared without white space and without the case of ASCII letters.
#pragma once

#include <span>

#include "tome/documents/document_builder.h"
#include "tome/documents/readers/epub_contents.h"

namespace tome {

class ChapterJoiner {
 public:
  // `builder` must outlive this object.
  explicit ChapterJoiner(DocumentBuilder& builder) : builder_(builder) {}

  // Appends the next part. `entries` are the entries that lead to it, in order.
  void Append(const Document& chapter, std::span<const ContentsEntry> entries);

 private:
  DocumentBuilder& builder_;
  int shift_ = 0;  // difference between a heading's level in the book and in its chapter
};

}  // namespace tome
