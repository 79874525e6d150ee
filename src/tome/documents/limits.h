// These limits bound the cost of reading one document.
#pragma once

#include <cstdint>

namespace tome {

// Limits the input file. A scanned book has some hundred MiB.
inline constexpr uint64_t kMaxInputBytes = uint64_t{2} << 30;
// Limits the normalized text of one document. Ten million characters of Chinese are 30 MiB.
inline constexpr uint64_t kMaxTextBytes = uint64_t{256} << 20;
// Limit an archive (EPUB, DOCX, ODT): the bytes that one entry may unpack to, the bytes of all
// entries together, and the number of entries.
inline constexpr uint64_t kMaxArchiveEntryBytes = uint64_t{128} << 20;
inline constexpr uint64_t kMaxArchiveTotalBytes = uint64_t{512} << 20;
inline constexpr uint64_t kMaxArchiveEntries = 65536;
// Limits the bytes that one compressed byte of an entry may give, once the entry has given more
// than the floor. An entry past both is a bomb. Deflate reaches 1032; the markup of real documents
// stays below 60.
inline constexpr uint64_t kMaxArchiveRatio = 200;
inline constexpr uint64_t kArchiveRatioFloorBytes = uint64_t{16} << 20;
// Limits the memory that the tree of an XML part may need. The tree of `<a/>` costs thirty times
// its text.
inline constexpr uint64_t kMaxXmlTreeBytes = uint64_t{2} << 30;
// Limits an HTML or XHTML part that is parsed as a tree. A tree costs some thirty times its text.
inline constexpr uint64_t kMaxHtmlBytes = uint64_t{64} << 20;
// Limits the nesting of elements in HTML and XML.
inline constexpr int kMaxElementDepth = 2000;
// Limit the pages, sections and notes of one document.
inline constexpr uint64_t kMaxPages = 200'000;
inline constexpr uint64_t kMaxSections = 1'000'000;
inline constexpr uint64_t kMaxNotes = 100;

}  // namespace tome
