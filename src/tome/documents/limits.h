// Limits on what a document may cost, in one place. Each has a test that reaches it.
#pragma once

#include <cstdint>

namespace tome {

// Largest input file: a scanned book is some hundred MiB.
inline constexpr uint64_t kMaxInputBytes = uint64_t{2} << 30;
// Largest normalized text of one document. Ten million characters of Chinese are 30 MiB.
inline constexpr uint64_t kMaxTextBytes = uint64_t{256} << 20;
// Most bytes that one entry of an archive (EPUB, DOCX, ODT) may unpack to, and all of them
// together.
inline constexpr uint64_t kMaxArchiveEntryBytes = uint64_t{128} << 20;
inline constexpr uint64_t kMaxArchiveTotalBytes = uint64_t{512} << 20;
inline constexpr uint64_t kMaxArchiveEntries = 65536;
// Most bytes that one compressed byte of an entry may give, once the entry has given the floor: an
// entry past both is a bomb. Deflate reaches 1032; the markup of real documents stays below 60.
inline constexpr uint64_t kMaxArchiveRatio = 200;
inline constexpr uint64_t kArchiveRatioFloorBytes = uint64_t{16} << 20;
// Most memory that the tree of an XML part may need: `<a/>` costs thirty times its text.
inline constexpr uint64_t kMaxXmlTreeBytes = uint64_t{2} << 30;
// Largest HTML or XHTML part that is parsed as a tree (a tree costs some thirty times its text).
inline constexpr uint64_t kMaxHtmlBytes = uint64_t{64} << 20;
// Deepest nesting of elements in HTML or XML.
inline constexpr int kMaxElementDepth = 2000;
// Most pages, sections and notes of one document.
inline constexpr uint64_t kMaxPages = 200'000;
inline constexpr uint64_t kMaxSections = 1'000'000;
inline constexpr uint64_t kMaxNotes = 100;

}  // namespace tome
