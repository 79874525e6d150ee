#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "advice.h"
#include "commands/answering.h"
#include "commands/command.h"
#include "commands/keeping.h"
#include "commands/line_input.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/quotes.h"
#include "tome/base/error.h"

namespace tome {
namespace {

struct ChatOptions {
  std::vector<std::string> files;
  std::string way = "auto";
  ModelOptions model;
  ModelAnswerOptions answering;
  ReadingOptions reading;
  KeepingOptions keeping;
};

void Chat(const ChatOptions& options, const CommandContext& context) {
  CheckWayHasModel(options.way, options.model);
  Library library = OpenUserLibrary(context);
  const std::vector<AskedDocument> documents =
      AddDocuments(library, options.files, options.reading, context);
  std::unique_ptr<LanguageModel> model;
  std::optional<SnapshotStore> store;
  std::optional<Conversation> conversation;
  if (!options.model.path.empty()) {
    model = LanguageModel::Open(options.model.path, options.reading.threads);
    store = OpenUserStore(options.keeping);
    ModelAnswerOptions answering = options.answering;
    answering.store = store ? &*store : nullptr;
    conversation.emplace(library, *model, documents, answering);
  }
  LineInput input(STDIN_FILENO, context.stop);
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  for (;;) {
    if (terminal) {
      fmt::print("> ");
      std::fflush(stdout);
    }
    const std::optional<std::string> line = input.Next();
    if (!line) return;
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      const WorkControl control{.stop = context.stop, .progress = {}};
      if (!conversation || options.way == "quotes") {
        const QuotesOptions quotes{.why = options.way == "quotes" ? WhyQuotes::kAskedFor
                                                                  : WhyQuotes::kNoModel};
        PrintAnswer(AnswerWithQuotes(library, *line, documents, quotes, control),
                    AnswerText::kPrint);
      } else {
        const Answer answer = conversation->Ask(*line, WayOf(options.way), PrintingSink(), control);
        PrintAnswer(answer, AnswerText::kPrintedAlready);
      }
    } catch (const Error& error) {
      // One question that cannot be answered does not end the conversation.
      if (error.code() != Code::kInvalidArgument || !terminal) throw;
      PrintError(Worded(error));
    }
    std::fflush(stdout);
  }
}

}  // namespace

void AddChatCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ChatOptions>();
  CLI::App* command = app.add_subcommand("chat", "Ask one question after another about documents");
  command->add_option("files", options->files, "Documents; without any the whole library is asked")
      ->type_name("FILE…");
  AddWayOption(*command, options->way);
  AddAnsweringOptions(*command, options->model, options->answering);
  AddStreamingOptions(*command, options->answering.window, options->answering.sinks);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->footer(
      "Reads a question a line from standard input until its end (Ctrl-D).\n"
      "What the model has read of the documents is kept between questions.\n"
      "Examples:\n"
      "  tome chat novel.epub --model qwen3.gguf\n"
      "  tome chat report.pdf < questions.txt");
  command->callback(
      [options, &context] { context.run = [options, &context] { Chat(*options, context); }; });
}

}  // namespace tome
