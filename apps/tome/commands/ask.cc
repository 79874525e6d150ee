#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/answer/quotes.h"

namespace tome {
namespace {

struct AskOptions {
  std::vector<std::string> words;  // FILE… QUESTION
  std::string way = "auto";
  QuotesOptions quotes;
  ReadingOptions reading;
  bool json = false;
};

void PrintAnswer(const Answer& answer) {
  for (const std::string& note : answer.notes) PrintNote(note);
  int number = 0;
  for (const Citation& citation : answer.citations) {
    const std::string mark = fmt::format("[{}]", ++number);
    std::string place = citation.document;
    if (citation.page) {
      place += fmt::format(", page {}", *citation.page);
      if (!citation.page_label.empty() && citation.page_label != std::to_string(*citation.page)) {
        place += fmt::format(" (printed {})", citation.page_label);
      }
    }
    if (citation.section) place += fmt::format(", {}", *citation.section);
    fmt::print("{}{} {}\n{}", number > 1 ? "\n" : "", Styled(mark, Style::kBold, STDOUT_FILENO),
               Styled(PrintableLine(place), Style::kCyan, STDOUT_FILENO),
               Wrapped(Printable(citation.quote), "    "));
  }
}

void CheckQuestion(const std::string& question) {
  constexpr const char* kUsage = "usage: tome ask FILE… \"QUESTION\"";
  if (question.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw CLI::ValidationError("ask", fmt::format("the question is empty; {}", kUsage));
  }
  std::error_code error;
  if (std::filesystem::is_regular_file(question, error)) {
    throw CLI::ValidationError(
        "ask", fmt::format("{}: the last word is a file, not a question; {}", question, kUsage));
  }
}

void Ask(const AskOptions& options, const CommandContext& context) {
  const std::string& question = options.words.back();
  CheckQuestion(question);
  Library library = OpenUserLibrary(context);
  std::vector<AskedDocument> documents;
  for (size_t i = 0; i + 1 < options.words.size(); ++i) {
    const std::string& file = options.words[i];
    documents.push_back({.id = AddFile(library, file, options.reading, context).id, .name = file});
  }
  const Answer answer = AnswerWithQuotes(library, question, documents, options.quotes,
                                         {.stop = context.stop, .progress = {}});
  if (options.json) {
    PrintJson(AnswerToJson(answer));
  } else {
    PrintAnswer(answer);
  }
}

}  // namespace

void AddAskCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command =
      app.add_subcommand("ask", "Ask a question about documents; the answer cites them");
  command
      ->add_option("words", options->words,
                   "Documents, then the question; without documents the whole library is asked")
      ->required()
      ->type_name("[FILE…] QUESTION");
  command->add_option("--way", options->way, "How the documents are read")
      ->check(CLI::IsMember({"auto", "quotes"}))
      ->capture_default_str();
  command->add_option("--top", options->quotes.top, "Quotes at most")
      ->check(CLI::Range(1, kMaxQuotes))
      ->capture_default_str()
      ->type_name("N");
  AddReadingOptions(*command, options->reading);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Examples:\n"
      "  tome ask novel.epub \"Who finds the letter?\"\n"
      "  tome ask 红楼梦.txt \"通灵宝玉上刻着什么字？\"\n"
      "  tome ask report.pdf --top 3 --json '\"net income\" of 2024'\n"
      "  tome ask \"Where did I read about tmpfs?\"     (the whole library)\n"
      "A phrase in quotation marks must occur exactly so.");
  command->callback(
      [options, &context] { context.run = [options, &context] { Ask(*options, context); }; });
}

}  // namespace tome
