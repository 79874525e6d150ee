// A library in its own folder. Its files are read by tests/library/echo_reader, which replaces
// tome-reader.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/scoped_environment.h"
#include "tests/temp_folder.h"
#include "tome/library/library.h"
#include "tome/retrieval/question.h"

namespace tome {

class LibraryFixture : public testing::Test {
 protected:
  Library Open() { return Library::Open(home(), {}); }
  std::filesystem::path home() const { return folder_ / "home"; }

  // Returns how often the reader was started.
  size_t Reads() const { return FileBytes(folder_ / "reads").size(); }

  QueryTerm Term(std::string_view phrase) {
    return {.stream = PhraseStream(phrase, analyzer_), .weight = 1, .required = false};
  }
  // Returns the texts of the passages that hold a phrase.
  std::set<std::string> Found(Library& library, std::string_view phrase) {
    std::set<std::string> texts;
    for (const ScoredPassage& scored :
         library.Search(std::vector{Term(phrase)}, {}, 1000).passages) {
      const Library::PassageRecord passage = library.ReadPassage(scored.id);
      texts.insert(library.Text(passage.document, passage.span));
    }
    return texts;
  }

  const TempFolder folder_;
  const ScopedEnvironment reader_{"TOME_READER", TOME_TEST_READER};
  const ScopedEnvironment reads_{"TOME_TEST_READS", (folder_ / "reads").string()};
  Analyzer analyzer_;
};

}  // namespace tome
