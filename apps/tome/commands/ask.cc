#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>

#include "advice.h"
#include "commands/answering.h"
#include "commands/command.h"
#include "commands/embedder_option.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/model_options.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/answer/ask.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct AskOptions {
  std::vector<std::string> words;  // FILE…, then the question where --question names none
  AskRequest request;              // its questions are those of --question
  std::string way = "auto";
  ModelOptions model;
  EmbedderOptions embedder;
  ReadingOptions reading;
  KeepingOptions keeping;
  bool explain = false;
  bool json = false;
};

struct AskedAnswers {
  std::vector<Answer> answers;
  // kPrintedAlready where the text of a single answer was printed as it came.
  AnswerText text = AnswerText::kPrint;
};

// Asks the model. An answer to one question that is written from the whole text is printed as it
// comes, unless it is printed as JSON.
AskedAnswers AskModel(Library& library, AskRequest request, const AskOptions& options,
                      const std::filesystem::path& model_path, const CommandContext& context) {
  const auto model = OpenModel(model_path, options.reading.threads, ModelUse::kConversation);
  std::optional<SnapshotStore> store = OpenUserStore(options.keeping);
  request.answering.store = store ? &*store : nullptr;
  ProgressBar bar(model->name());
  AskedAnswers asked;
  const TextSink print = PrintingSink();
  const TextSink sink = [&](std::string_view text) {
    if (std::exchange(asked.text, AnswerText::kPrintedAlready) == AnswerText::kPrint) bar.Hide();
    return print(text);
  };
  Measurements measurements = OpenUserMeasurements(context);
  asked.answers =
      Ask(library, MeasuredModel{*model, measurements}, request, options.json ? TextSink() : sink,
          {.stop = context.stop, .progress = bar.Function()});
  if (store) PrintStoreNotes(*store);
  return asked;
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

void Print(const AskedAnswers& asked, const AskOptions& options) {
  const std::span<const Answer> answers = asked.answers;
  const bool one = answers.size() == 1;
  if (options.json) {
    nlohmann::ordered_json objects = nlohmann::ordered_json::array();
    for (const Answer& answer : answers) {
      objects.push_back(AnswerToJson(answer, [](const Note& note) { return Worded(note); }));
    }
    return PrintJson(one ? objects.front() : nlohmann::ordered_json{{"answers", objects}});
  }
  for (const Answer& answer : answers) {
    if (!one) {
      fmt::print("{}{}\n", &answer == &answers.front() ? "" : "\n",
                 Styled(PrintableLine(answer.question), Style::kBold, STDOUT_FILENO));
      std::fflush(stdout);  // before the notes
    }
    const bool quotes = answer.way == "quotes";
    if (!quotes) PrintNote(fmt::format("{}: {}", answer.way, Worded(answer.why)));
    PrintAnswer(answer, asked.text, options.explain ? Explained::kRanks : Explained::kNothing);
  }
}

void RunAsk(const AskOptions& options, const CommandContext& context) {
  AskRequest request = options.request;
  request.way = WayOf(options.way);
  std::span<const std::string> files = options.words;
  if (request.questions.empty()) {
    if (files.empty()) throw CLI::ValidationError("ask", fmt::format("no question; {}", kUsage));
    request.questions.push_back(files.back());
    files = files.first(files.size() - 1);
  }
  for (const std::string& question : request.questions) CheckQuestion(question);
  const auto model_path = ModelForWay(options.way, options.model);
  Library library = OpenUserLibrary(context);
  const auto documents = AddDocuments(library, files, options.reading, context);
  request.documents = documents;
  const auto embedder =
      OpenEmbedder(options.embedder, request.way, options.reading.threads, library);
  const auto dense = SearchNamed(library, embedder.get(), documents, context);
  request.quotes.dense = dense.get();
  request.answering.dense = dense.get();
  AskedAnswers asked;
  if (model_path) {
    asked = AskModel(library, std::move(request), options, *model_path, context);
  } else {
    asked.answers = Ask(library, std::nullopt, request, {}, {.stop = context.stop, .progress = {}});
  }
  // The reader notes of named documents are on stderr already.
  if (options.json || documents.empty()) {
    for (Answer& answer : asked.answers) AddReaderNotes(library, documents, answer);
  }
  Print(asked, options);
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
          "-q,--question", options->request.questions,
          "A question; repeated, all are answered together and the documents are read once")
      ->type_name("QUESTION")
      ->allow_extra_args(false);
  AddWayOption(*command, options->way);
  command->add_option("--top", options->request.quotes.top, "Quotes at most")
      ->check(CLI::Range(1, kMaxQuotes))
      ->capture_default_str()
      ->type_name("N");
  AddAnsweringOptions(*command, options->model, options->request.answering);
  AddEmbedderOption(*command, options->embedder);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->add_flag("--explain", options->explain,
                    "Show where each quote stood in each list of the search");
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
      [options, &context] { context.run = [options, &context] { RunAsk(*options, context); }; });
}

}  // namespace tome
