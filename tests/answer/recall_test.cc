// Measures how often the way `quotes` finds the one sentence that answers: recall@k over the
// questions of tests/golden/recall (see its README), asked of their document and of the whole
// shelf.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tome/answer/quotes.h"
#include "tome/library/library.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr char kReference[] = "/usr/share/debian-reference";
constexpr double kRequiredRecall = 0.9;
constexpr size_t kTop = 5;

struct RecallQuestion {
  std::string document;
  std::string question;
  std::string answer;
  std::string language;
};

std::vector<RecallQuestion> ReadQuestions() {
  const char* source = std::getenv("TOME_SOURCE_DIR");  // set by ctest
  std::ifstream file(std::filesystem::path(source == nullptr ? "." : source) /
                     "tests/golden/recall/questions.jsonl");
  std::vector<RecallQuestion> questions;
  for (std::string line; std::getline(file, line);) {
    const auto object = nlohmann::json::parse(line);
    questions.push_back({.document = object.at("document"),
                         .question = object.at("question"),
                         .answer = object.at("answer"),
                         .language = object.at("language")});
  }
  return questions;
}

// Line ends differ between the answer and the text, so they are compared without white space.
std::string WithoutSpace(std::string_view text) {
  std::string kept;
  for (const char c : CollapseWhiteSpace(text)) {
    if (c != ' ') kept += c;
  }
  return kept;
}

std::string OutputOf(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
  std::string output;
  std::array<char, 65536> buffer{};
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    output.append(buffer.data(), n);
  }
  return output;
}

// Returns the 1-based rank of the first quote that holds the answer, and 0 where no quote does.
size_t RankOf(const Answer& answer, const std::string& expected) {
  for (size_t i = 0; i < answer.citations.size(); ++i) {
    if (WithoutSpace(answer.citations[i].quote).find(expected) != std::string::npos) return i + 1;
  }
  return 0;
}

struct Score {
  size_t asked = 0;
  size_t found = 0;
  double reciprocal_ranks = 0;

  void Count(size_t rank) {
    ++asked;
    if (rank > 0) {
      ++found;
      reciprocal_ranks += 1.0 / static_cast<double>(rank);
    }
  }
  double Recall() const { return static_cast<double>(found) / static_cast<double>(asked); }
  std::string Text() const {
    return fmt::format("recall@{} {:.3f} ({} of {}), mean reciprocal rank {:.3f}", kTop, Recall(),
                       found, asked, reciprocal_ranks / static_cast<double>(asked));
  }
};

class RecallTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kReference) || std::system("command -v bible >/dev/null") != 0) {
      const char* ci = std::getenv("CI");
      if (ci != nullptr && std::string_view(ci) == "true") {
        FAIL() << "debian-reference or bible-kjv is not installed; run scripts/setup";
      }
      GTEST_SKIP() << "debian-reference or bible-kjv is not installed; run scripts/setup";
    }
    home_ = std::filesystem::temp_directory_path() / fmt::format("tome-recall-{}", ::getpid());
    std::filesystem::create_directories(home_);
  }
  void TearDown() override {
    std::error_code error;
    std::filesystem::remove_all(home_, error);
  }

  std::filesystem::path PathOf(const std::string& document) const {
    return document == "kjv.txt" ? home_ / document : std::filesystem::path(kReference) / document;
  }

  std::filesystem::path home_;
};

TEST_F(RecallTest, FindsTheSentenceThatAnswers) {
  std::ofstream(home_ / "kjv.txt") << OutputOf("bible -f gen1:1-rev22:21");
  Library library = Library::Open(home_, {});
  std::map<std::string, DocumentId> documents;
  std::map<std::string, Score> in_document;
  std::map<std::string, Score> in_shelf;
  std::vector<RecallQuestion> questions = ReadQuestions();
  ASSERT_GE(questions.size(), 40U);
  for (const RecallQuestion& question : questions) {
    if (documents.contains(question.document)) continue;
    documents[question.document] = library.Add(PathOf(question.document), {}).id;
  }
  for (const RecallQuestion& question : questions) {
    const std::string expected = WithoutSpace(question.answer);
    const NamedDocument asked{.id = documents.at(question.document), .name = question.document};
    const QuotesOptions options{.top = kTop};
    const size_t rank =
        RankOf(AnswerWithQuotes(library, question.question, {&asked, 1}, options, {}), expected);
    const size_t shelf_rank =
        RankOf(AnswerWithQuotes(library, question.question, {}, options, {}), expected);
    for (const std::string& group : {question.language, std::string("all")}) {
      in_document[group].Count(rank);
      in_shelf[group].Count(shelf_rank);
    }
    if (rank == 0) fmt::print("missed: {} {}\n", question.document, question.question);
  }
  for (const auto& [group, score] : in_document) {
    fmt::print("{:>4}: asked of the document: {}\n", group, score.Text());
    fmt::print("{:>4}: asked of the shelf:    {}\n", group, in_shelf[group].Text());
  }
  EXPECT_GE(in_document["en"].Recall(), kRequiredRecall);
  EXPECT_GE(in_document["zh"].Recall(), kRequiredRecall);
}

}  // namespace
}  // namespace tome
