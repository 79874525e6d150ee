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

  // Returns the passages whose postings hold a phrase.
  std::vector<PassageId> Holding(Library& library, std::string_view phrase) {
    const std::string stream = PhraseStream(phrase, analyzer_);
    const std::string_view view = stream;
    const PassageRange all = library.store().documents().AllPassages();
    std::vector<PassageId> ids;
    const auto found = library.store().postings().Postings({&view, 1}, {&all, 1});
    for (const Posting& posting : found.at(0)) ids.push_back(posting.id);
    return ids;
  }
  size_t Count(Library& library, std::string_view phrase) {
    return Holding(library, phrase).size();
  }
  // Returns the texts of these passages.
  std::set<std::string> Found(Library& library, std::string_view phrase) {
    std::set<std::string> texts;
    for (const StoredPassage& passage :
         library.store().documents().ReadPassages(Holding(library, phrase))) {
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
