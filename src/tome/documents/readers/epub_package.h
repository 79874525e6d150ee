// ReadEpubPackage reads the package document (OPF) of an EPUB: its title, reading order, and where
// its contents are listed.
#pragma once

#include <string>
#include <vector>

#include "tome/documents/readers/archive.h"

namespace tome {

struct EpubPackage {
  std::string title;
  std::vector<std::string> spine;  // the XHTML parts in reading order, each once; all exist
  std::string nav;                 // EPUB 3's navigation document, or empty
  std::string ncx;                 // EPUB 2's table of contents (toc.ncx), or empty
  std::vector<std::string> notes;  // which parts of the spine cannot be read, and why
};

// Follows META-INF/container.xml. Throws Error(kCorrupt) without it or the package document, and
// Error(kUnsupported) ("is protected (DRM)") where parts of the spine are encrypted. Obfuscated
// fonts do not matter. The navigation document is not part of the spine, even where the book lists
// it there.
EpubPackage ReadEpubPackage(Archive& archive);

}  // namespace tome
