// Where the parts of a DOCX lie: found by following its relationships ("_rels/.rels"), which name
// them by type.
#pragma once

#include <string>

#include "tome/documents/readers/archive.h"

namespace tome {

// Names of entries; those but `document` may be absent from the archive.
struct DocxParts {
  std::string document;
  std::string styles;
  std::string numbering;
  std::string footnotes;
  std::string endnotes;
  std::string core_properties;
};

// Where a relationship is missing, the name that Word gives the part. Throws Error of Archive and
// ParseXml.
DocxParts FindDocxParts(Archive& archive);

}  // namespace tome
