#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "commands/answering.h"
#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/model_options.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/answer/model_answer.h"
#include "tome/answer/quotes.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct AskOptions {
  std::vector<std::string> words;      // FILE…, and the question where none is named
  std::vector<std::string> questions;  // --question
  std::string way = "auto";
  QuotesOptions quotes;
  ModelOptions model;
  ModelAnswerOptions answering;
  ReadingOptions reading;
  KeepingOptions keeping;
  bool json = false;
};

// Answers of one question are printed as they come, unless they are printed as JSON.
std::vector<Answer> AskModel(Library& library, std::span<const std::string> questions,
                             std::vector<AskedDocument> documents, const AskOptions& options,
                             const CommandContext& context) {
  const auto model = OpenModel(options.model, options.reading.threads, ModelUse::kConversation);
  std::optional<SnapshotStore> store = OpenUserStore(options.keeping);
  ModelAnswerOptions answering = options.answering;
  answering.store = store ? &*store : nullptr;
  Conversation conversation(library, *model, std::move(documents), answering);
  ProgressBar bar(model->name());
  const WorkControl control{.stop = context.stop, .progress = bar.Function()};
  const Way way = WayOf(options.way);
  bool begun = false;
  const TextSink print = PrintingSink();
  const TextSink sink = [&](std::string_view text) {
    if (!std::exchange(begun, true)) bar.Hide();
    return print(text);
  };
  std::vector<Answer> answers;
  if (questions.size() > 1) {
    answers = conversation.AskTogether(questions, way, control);
  } else {
    answers.push_back(
        conversation.Ask(questions.front(), way, options.json ? TextSink() : sink, control));
  }
  if (store) PrintStoreNotes(*store);
  return answers;
}

std::vector<Answer> AskQuotes(Library& library, std::span<const std::string> questions,
                              std::span<const AskedDocument> documents, const AskOptions& options,
                              const CommandContext& context) {
  std::vector<Answer> answers;
  for (const std::string& question : questions) {
    answers.push_back(AnswerWithQuotes(library, question, documents, options.quotes,
                                       {.stop = context.stop, .progress = {}}));
  }
  return answers;
}

constexpr const char* kUsage =
    "usage: tome ask FILE… \"QUESTION\", or tome ask FILE… -q \"QUESTION\" -q \"QUESTION\"";

void CheckQuestion(const std::string& question) {
  if (CollapseWhiteSpace(NormalizeText(question)).empty()) {
    throw CLI::ValidationError("ask", fmt::format("the question is empty; {}", kUsage));
  }
  std::error_code error;
  if (std::filesystem::is_regular_file(question, error)) {
    throw CLI::ValidationError(
        "ask", fmt::format("{}: a file stands where the question should; {}", question, kUsage));
  }
}

void Print(std::span<const Answer> answers, bool json) {
  const bool one = answers.size() == 1;
  if (json) {
    nlohmann::ordered_json objects = nlohmann::ordered_json::array();
    for (const Answer& answer : answers) objects.push_back(AnswerToJson(answer));
    return PrintJson(one ? objects.front() : nlohmann::ordered_json{{"answers", objects}});
  }
  for (const Answer& answer : answers) {
    if (!one) {
      fmt::print("{}{}\n", &answer == &answers.front() ? "" : "\n",
                 Styled(PrintableLine(answer.question), Style::kBold, STDOUT_FILENO));
      std::fflush(stdout);  // before the notes
    }
    const bool quotes = answer.way == "quotes";
    if (!quotes) PrintNote(fmt::format("{}: {}", answer.way, answer.why));
    PrintAnswer(answer, quotes || !one ? AnswerText::kPrint : AnswerText::kPrintedAlready);
  }
}

void Ask(const AskOptions& options, const CommandContext& context) {
  std::span<const std::string> files = options.words;
  std::span<const std::string> questions = options.questions;
  if (questions.empty()) {
    if (files.empty()) throw CLI::ValidationError("ask", fmt::format("no question; {}", kUsage));
    questions = files.last(1);
    files = files.first(files.size() - 1);
  }
  for (const std::string& question : questions) CheckQuestion(question);
  const bool quotes =
      options.way == "quotes" || (options.way == "auto" && options.model.path.empty());
  CheckWayHasModel(options.way, options.model);
  Library library = OpenUserLibrary(context);
  std::vector<AskedDocument> documents = AddDocuments(library, files, options.reading, context);
  Print(quotes ? AskQuotes(library, questions, documents, options, context)
               : AskModel(library, questions, std::move(documents), options, context),
        options.json);
}

}  // namespace

void AddAskCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command =
      app.add_subcommand("ask", "Ask a question about documents; the answer cites them");
  command
      ->add_option("words", options->words,
                   "Documents, then the question unless --question names it; without documents "
                   "the whole library is asked")
      ->type_name("[FILE…] [QUESTION]");
  command
      ->add_option(
          "-q,--question", options->questions,
          "A question; repeated, all are answered together and the documents are read once")
      ->type_name("QUESTION")
      ->allow_extra_args(false);
  AddWayOption(*command, options->way);
  command->add_option("--top", options->quotes.top, "Quotes at most")
      ->check(CLI::Range(1, kMaxQuotes))
      ->capture_default_str()
      ->type_name("N");
  AddAnsweringOptions(*command, options->model, options->answering);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Examples:\n"
      "  tome ask novel.epub \"Who finds the letter?\"\n"
      "  tome ask 红楼梦.txt \"通灵宝玉上刻着什么字？\"\n"
      "  tome ask report.pdf --top 3 --json '\"net income\" of 2024'\n"
      "  tome ask \"Where did I read about tmpfs?\"     (the whole library)\n"
      "  tome ask report.pdf --model qwen3.gguf \"What changed since 2023?\"\n"
      "  tome ask report.pdf --model qwen3.gguf -q \"What changed?\" -q \"Who wrote it?\"\n"
      "A phrase in quotation marks must occur exactly so.\n"
      "Ways: `quotes` needs no model; `context` reads all of the documents, `retrieval` the "
      "passages\n"
      "that matter; `auto` takes `context` where that fits model, memory and --budget.");
  command->callback(
      [options, &context] { context.run = [options, &context] { Ask(*options, context); }; });
}

}  // namespace tome
