#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "advice.h"
#include "commands/answering.h"
#include "commands/chat_history.h"
#include "commands/command.h"
#include "commands/embedder_option.h"
#include "commands/keeping.h"
#include "commands/line_input.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "line_editor.h"
#include "terminal.h"
#include "tome/answer/follow_up.h"
#include "tome/answer/local_answer_model.h"
#include "tome/answer/quotes.h"
#include "tome/base/error.h"

namespace tome {
namespace {

struct ChatCommand {
  std::vector<std::string> files;
  std::string way = "auto";
  ModelOptions model;
  ModelAnswerOptions answering;
  EmbedderOptions embedder;
  ReadingOptions reading;
  KeepingOptions keeping;
};

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// The means of answering in a chat: quotes alone, or a model.
struct Answerer {
  Library& library;
  std::span<const NamedDocument> documents;
  const DenseSearch* dense = nullptr;
  const LanguageModel* model = nullptr;
  std::optional<SnapshotStore> store;
  std::optional<Measurements> measurements;
  std::optional<Conversation> conversation;
  Analyzer analyzer = {};
  std::optional<EarlierTurn> earlier = {};  // the last question that was answered
};

void Print(Answerer& answerer, Answer& answer, AnswerText text) {
  // The reader notes of named documents are on stderr already.
  if (answerer.documents.empty()) AddReaderNotes(answerer.library, answerer.documents, answer);
  PrintAnswer(answer, text);
}

// Returns a follow-up as the whole question that is answered in its place.
std::optional<std::string> Rewritten(Answerer& answerer, const std::string& question,
                                     std::stop_token stop) {
  if (!answerer.earlier) return std::nullopt;
  std::optional<LocalAnswerModel> model;
  if (answerer.model != nullptr) model.emplace(*answerer.model);
  std::optional<std::string> rewritten =
      RewriteFollowUp(question, *answerer.earlier, model ? &*model : nullptr, answerer.analyzer,
                      {.stop = std::move(stop), .progress = {}});
  if (rewritten) PrintNote(fmt::format("read as: {}", PrintableLine(*rewritten)));
  return rewritten;
}

// Prints the answer to a question, as it was asked of the documents, and remembers both for the next
// follow-up.
void PrintAndRemember(Answerer& answerer, Answer& answer, AnswerText text,
                      const std::string& asked) {
  Print(answerer, answer, text);
  answerer.earlier = EarlierTurn{.question = asked,
                                 .answer = answer.way == "quotes" ? std::string() : answer.text};
}

// Answers one question and prints the answer as it comes.
void AnswerOne(Answerer& answerer, const std::string& question, Way way, std::stop_token stop) {
  const std::optional<std::string> rewritten = Rewritten(answerer, question, stop);
  const std::string& asked = rewritten ? *rewritten : question;
  if (!answerer.conversation) {
    const WorkControl control{.stop = std::move(stop), .progress = {}};
    const QuotesOptions quotes{
        .why = way == Way::kQuotes ? WhyQuotes::kAskedFor : WhyQuotes::kNoModel,
        .dense = answerer.dense};
    Answer answer = AnswerWithQuotes(answerer.library, asked, answerer.documents, quotes, control);
    PrintAndRemember(answerer, answer, AnswerText::kPrint, asked);
    return;
  }
  ProgressBar bar(answerer.model->name());
  const WorkControl control{.stop = std::move(stop), .progress = bar.Function()};
  const TextSink print = PrintingSink();
  bool begun = false;
  const TextSink sink = [&](std::string_view text) {
    if (!std::exchange(begun, true)) bar.Hide();
    return print(text);
  };
  try {
    Answer answer = answerer.conversation->Ask(asked, way, sink, control);
    bar.Hide();
    PrintAndRemember(answerer, answer, begun ? AnswerText::kPrintedAlready : AnswerText::kPrint,
                     asked);
  } catch (...) {
    if (begun) fmt::print("\n");  // the next message begins on its own line
    throw;
  }
}

// Answers a question of a person at a terminal. A question that cannot be answered does not end the
// conversation. Ctrl-C ends the answer only.
void AnswerPerson(Answerer& answerer, const std::string& question, Way way,
                  const Interrupts::Part& part, const CommandContext& context) {
  try {
    AnswerOne(answerer, question, way, part.stop());
  } catch (const Error& error) {
    std::fflush(stdout);  // before the note
    if (error.code() == Code::kCancelled && !context.stop.stop_requested()) {
      PrintNote("interrupted; the question and what was answered are no part of the conversation");
    } else if (error.code() == Code::kInvalidArgument) {
      PrintError(Worded(error));
    } else {
      throw;
    }
  }
}

constexpr const char* kPrompt = "> ";

// Takes questions from a person whose terminal can edit them.
void ChatAtTerminal(Answerer& answerer, Way way, const CommandContext& context) {
  ChatHistory history(Library::DefaultHome() / "chat_history");
  LineEditor editor(kPrompt, history.lines(), context.stop);
  while (const std::optional<std::string> line = editor.Next()) {
    if (IsBlank(*line)) continue;
    editor.Remember(*line);
    history.Add(*line);
    const Interrupts::Part part(context.interrupts);
    AnswerPerson(answerer, *line, way, part, context);
    std::fflush(stdout);
    editor.Begin();  // before the part ends, so that a late Ctrl-C does not end the chat
  }
}

// Takes questions from a file, a pipe, or a terminal that cannot edit lines.
void ChatByLines(Answerer& answerer, Way way, const CommandContext& context) {
  const bool person = ::isatty(STDIN_FILENO) == 1;
  LineInput input(STDIN_FILENO, context.stop);
  for (;;) {
    if (person) {
      fmt::print("{}", kPrompt);
      std::fflush(stdout);
    }
    const std::optional<std::string> line = input.Next();
    if (!line) return;
    if (IsBlank(*line)) continue;
    if (person) {
      const Interrupts::Part part(context.interrupts);
      AnswerPerson(answerer, *line, way, part, context);
    } else {
      AnswerOne(answerer, *line, way, context.stop);
    }
    std::fflush(stdout);
  }
}

void Chat(const ChatCommand& options, const CommandContext& context) {
  const auto model_path = ModelForWay(options.way, options.model);
  Library library = OpenUserLibrary(context);
  const std::vector<NamedDocument> documents =
      AddDocuments(library, options.files, options.reading, context);
  std::unique_ptr<LanguageModel> model;
  const Way way = WayOf(options.way);
  const auto embedder = OpenEmbedder(options.embedder, way, options.reading.threads, library);
  const auto dense = SearchNamed(library, embedder.get(), documents, context);
  Answerer answerer{.library = library,
                    .documents = documents,
                    .dense = dense.get(),
                    .store = {},
                    .measurements = {},
                    .conversation = {}};
  if (model_path) {
    model = OpenModel(*model_path, options.reading.threads, ModelUse::kConversation);
    answerer.model = model.get();
    answerer.store = OpenUserStore(options.keeping);
    ModelAnswerOptions answering = options.answering;
    answering.dense = dense.get();
    answering.store = answerer.store ? &*answerer.store : nullptr;
    answerer.measurements.emplace(OpenUserMeasurements(context));
    answerer.conversation.emplace(library, MeasuredModel{*model, *answerer.measurements}, documents,
                                  answering);
  }
  if (LineEditor::CanEdit()) {
    ChatAtTerminal(answerer, way, context);
  } else {
    ChatByLines(answerer, way, context);
  }
}

}  // namespace

void AddChatCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ChatCommand>();
  CLI::App* command = app.add_subcommand("chat", "Ask one question after another about documents");
  command->add_option("files", options->files, "Documents; without any the whole library is asked")
      ->type_name("FILE…");
  AddWayOption(*command, options->way);
  AddAnsweringOptions(*command, options->model, options->answering);
  AddStreamingOptions(*command, options->answering.memory.window, options->answering.memory.sinks);
  AddEmbedderOption(*command, options->embedder);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->footer(
      "Reads a question a line from standard input until its end (Ctrl-D).\n"
      "What the model has read of the documents is kept between questions.\n"
      "On a terminal lines are edited, earlier questions come back with the arrow keys, and Ctrl-C "
      "ends\n"
      "the answer, which is dropped from the conversation; where nothing is typed it ends the "
      "chat.\n"
      "Examples:\n"
      "  tome chat novel.epub --model qwen3.gguf\n"
      "  tome chat report.pdf < questions.txt");
  command->callback(
      [options, &context] { context.run = [options, &context] { Chat(*options, context); }; });
}

}  // namespace tome
