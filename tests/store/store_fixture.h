// A store in its own folder, and documents for it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/temp_folder.h"
#include "tome/documents/document_builder.h"
#include "tome/store/sqlite_schema.h"
#include "tome/store/sqlite_store.h"

namespace tome {

class StoreFixture : public testing::Test {
 protected:
  std::unique_ptr<Store> Open() { return OpenSqliteStore(path(), {}); }
  std::filesystem::path path() const { return folder_ / "library.db"; }
  // Opens the store's own tables, for facts that no call of Store tells or changes.
  Database Tables() { return OpenLibraryDatabase(path(), {}); }

  // Returns a document with a heading, a section in it and `paragraphs` paragraphs.
  static Document SomeDocument(int paragraphs) {
    DocumentBuilder builder("text");
    builder.Heading(1, "Part");
    builder.Heading(2, "Chapter");
    for (int i = 0; i < paragraphs; ++i) {
      builder.Paragraph("The keeper lit lamp number " + std::to_string(i) + " 软件。");
    }
    return std::move(builder).Finish();
  }

  // Inserts a document whose file had this hash, of 16 bytes, and returns its record.
  static DocumentRecord Insert(Store& store, const Document& document, std::string_view hash,
                               const Reading& reading = {.reader = "1", .settings = {}}) {
    const std::vector<Passage> passages = CutPassages(document, 20, {});
    return store.documents().Insert({.hash = hash,
                                     .reading = reading,
                                     .file_bytes = 77,
                                     .document = document,
                                     .passages = passages});
  }

  const TempFolder folder_;
};

}  // namespace tome
