// PdfFile opens a PDF with poppler.
#pragma once

#include <poppler.h>

#include <string>
#include <string_view>

#include "apps/tome-reader/glib_handle.h"

namespace tome {

// Only one thread may use a PdfFile. Several PdfFiles may be open over the same bytes, which must
// outlive all of them.
class PdfFile {
 public:
  // Throws Error(kUnsupported) for a file that needs a password and Error(kCorrupt) for one that
  // poppler cannot repair.
  explicit PdfFile(std::string_view bytes);

  PopplerDocument* get() const { return document_.get(); }
  int page_count() const { return poppler_document_get_n_pages(document_.get()); }
  // Returns null where the page is damaged.
  ObjectHandle<PopplerPage> OpenPage(int index) const;
  // Returns the title in the file's metadata. Empty if it is missing or a placeholder that a
  // program left there ("untitled", "Microsoft Word - report.doc").
  std::string Title() const;

 private:
  BytesHandle bytes_;
  ObjectHandle<PopplerDocument> document_;
};

}  // namespace tome
