#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "commands/answering.h"
#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/answer/model_answer.h"
#include "tome/answer/quotes.h"

namespace tome {
namespace {

struct AskOptions {
  std::vector<std::string> words;  // FILE… QUESTION
  std::string way = "auto";
  QuotesOptions quotes;
  ModelOptions model;
  ModelAnswerOptions answering;
  ReadingOptions reading;
  KeepingOptions keeping;
  bool json = false;
};

Answer AskModel(Library& library, std::vector<AskedDocument> documents, const AskOptions& options,
                const CommandContext& context) {
  const auto model = LanguageModel::Open(options.model.path, options.reading.threads);
  std::optional<SnapshotStore> store = OpenUserStore(options.keeping);
  ModelAnswerOptions answering = options.answering;
  answering.store = store ? &*store : nullptr;
  Conversation conversation(library, *model, std::move(documents), answering);
  ProgressBar bar(model->name());
  bool begun = false;
  const TextSink print = PrintingSink();
  const TextSink sink = [&](std::string_view text) {
    if (!std::exchange(begun, true)) bar.Hide();
    return print(text);
  };
  Answer answer =
      conversation.Ask(options.words.back(), WayOf(options.way), options.json ? TextSink() : sink,
                       {.stop = context.stop, .progress = bar.Function()});
  if (store) PrintStoreNotes(*store);
  return answer;
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
  const bool quotes =
      options.way == "quotes" || (options.way == "auto" && options.model.path.empty());
  CheckWayHasModel(options.way, options.model);
  Library library = OpenUserLibrary(context);
  std::vector<AskedDocument> documents = AddDocuments(
      library, std::span(options.words).first(options.words.size() - 1), options.reading, context);
  const Answer answer = quotes ? AnswerWithQuotes(library, question, documents, options.quotes,
                                                  {.stop = context.stop, .progress = {}})
                               : AskModel(library, std::move(documents), options, context);
  if (options.json) {
    PrintJson(AnswerToJson(answer));
  } else {
    if (!quotes) PrintNote(fmt::format("{}: {}", answer.way, answer.why));
    PrintAnswer(answer, quotes ? AnswerText::kPrint : AnswerText::kPrintedAlready);
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
      ->check(CLI::IsMember({"auto", "context", "retrieval", "quotes"}))
      ->capture_default_str();
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
      "A phrase in quotation marks must occur exactly so.\n"
      "Ways: `quotes` needs no model; `context` reads all of the documents, `retrieval` the "
      "passages\n"
      "that matter; `auto` takes `context` where that fits model, memory and --budget.");
  command->callback(
      [options, &context] { context.run = [options, &context] { Ask(*options, context); }; });
}

}  // namespace tome
