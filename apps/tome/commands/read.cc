#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "advice.h"
#include "commands/answering.h"
#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/length_output.h"
#include "commands/model_options.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/base/error.h"

namespace tome {
namespace {

struct ReadOptions {
  std::vector<std::string> files;
  ModelOptions model;
  ModelAnswerOptions answering;
  ReadingOptions reading;
  KeepingOptions keeping;
  bool json = false;
};

void Read(ReadOptions& options, const CommandContext& context) {
  if (options.keeping.cache_bytes == 0) {
    throw Error(Code::kInvalidArgument, "--cache-size: 0 keeps nothing, and so nothing is read");
  }
  const std::filesystem::path model_path = NeedModel(options.model);
  std::optional<SnapshotStore> store = OpenUserStore(options.keeping);
  if (!store) throw Error(Code::kIo, "what is read cannot be kept, and so nothing is read");
  Library library = OpenUserLibrary(context);
  const std::vector<NamedDocument> documents =
      AddDocuments(library, options.files, options.reading, context);
  const auto model = OpenModel(model_path, options.reading.threads, ModelUse::kConversation);
  options.answering.store = &*store;
  options.answering.limits.answer_tokens = 0;  // reserves no room for an answer
  Measurements measurements = OpenUserMeasurements(context);
  Conversation conversation(library, {*model, measurements}, documents, options.answering);
  DocumentReading read;
  {
    ProgressBar bar(model->name());
    read = conversation.ReadDocuments({.stop = context.stop, .progress = bar.Function()});
  }
  const std::optional<KvLoss> kv_loss = conversation.LossFor(read.tokens);
  if (const auto note = conversation.TypeNoteFor(read.tokens, kv_loss)) PrintNote(Worded(*note));
  const SnapshotReport& report = store->report();
  if (options.json) {
    PrintJson({{"tokens", read.tokens},
               {"restored", read.restored},
               {"seconds", read.seconds},
               {"kept_bytes", report.kept_bytes},
               {"kv_loss", ToJson(kv_loss)},
               {"length", ToJson(read.length)}});
  } else {
    fmt::print("{} tokens: {} were kept already, {} read in {:.1f} s; {} MiB more on disk\n",
               read.tokens, read.restored, read.tokens - read.restored, read.seconds,
               report.kept_bytes >> 20);
    std::fflush(stdout);  // so that the note on stderr comes after it in a terminal
    if (const auto note = NoteOf(read.length)) PrintNote(Worded(*note));
  }
  PrintStoreNotes(*store);
}

}  // namespace

void AddReadCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ReadOptions>();
  CLI::App* command =
      app.add_subcommand("read", "Let a model read documents now, for questions to come");
  command->add_option("files", options->files, "Documents, read as one text")
      ->required()
      ->type_name("FILE…");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  AddKvOption(*command, options->answering.memory.kv);
  AddMemoryOption(*command, options->answering.memory.resident_bytes,
                  options->answering.memory.spill_folder);
  AddLongerOption(*command, options->answering.memory.longer);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "What was read is kept in the library's folder: `ask` and `chat` with the same model and the "
      "same\ndocuments, in this order, begin where this ended. Interrupted, it keeps what it "
      "has.\n"
      "Example:\n"
      "  tome read novel.epub --model qwen3.gguf\n"
      "  tome ask novel.epub --model qwen3.gguf --way context \"Who finds the letter?\"");
  command->callback(
      [options, &context] { context.run = [options, &context] { Read(*options, context); }; });
}

}  // namespace tome
