// FindDocxParts finds the parts of a DOCX by following its relationships ("_rels/.rels"), which
// name the parts by type.
#pragma once

#include <string>

#include "tome/documents/readers/archive.h"

namespace tome {

// DocxParts holds names of entries. All but `document` may be absent from the archive.
struct DocxParts {
  std::string document;
  std::string styles;
  std::string numbering;
  std::string footnotes;
  std::string endnotes;
  std::string core_properties;
};

// Where a relationship is missing, the part gets the name that Word gives it. Throws the Errors of
// Archive and ParseXml.
DocxParts FindDocxParts(Archive& archive);

}  // namespace tome
