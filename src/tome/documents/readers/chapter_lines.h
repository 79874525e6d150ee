// FindChapters finds the chapter headings of plain text. Only their wording marks them:
// "Chapter 4", "CHAPTER IV. The Storm", "BOOK II", "Part One", "Prologue"; "第十二回 …", "第3章 …",
// "第一卷", "楔子", "后记".
//
// A heading stands alone on a short line and does not read like a sentence. Parts, books, volumes,
// 卷, 部, 篇 and 集 are level 1. Chapters, 章, 回 and their peers (a prologue) are level 2.
// Sections and 节 are level 3. The lines of a table of contents are not headings: several headings
// without text between them that come again later.
#pragma once

#include <string_view>
#include <vector>

#include "tome/documents/document.h"

namespace tome {

// Returns the sections of `text`, a Document's text with these line breaks. In wrapped text (kSoft)
// a heading must begin a block or follow another heading; otherwise the wrapped end of a sentence
// ("… as told in / Chapter 4") would count as one. Throws Error(kUnsupported) past kMaxSections.
std::vector<Section> FindChapters(std::string_view text, LineBreaks line_breaks);

}  // namespace tome
