#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "advice.h"
#include "commands/command.h"
#include "commands/embedder_option.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/model_options.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/base/error.h"
#include "tome/base/mebibytes.h"
#include "tome/generate/verify_memory.h"
#include "tome/library/folder_sync.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct LibraryOptions {
  std::vector<std::string> names;
  EmbedderOptions embedder;
  ReadingOptions reading;
  ModelOptions model;
  int64_t samples = 4;
  std::string watched;  // a folder; empty: none
  bool remove = false;
  bool json = false;
};

std::string_view OutcomeName(AddOutcome outcome) {
  switch (outcome) {
    case AddOutcome::kAdded:
      return "added";
    case AddOutcome::kReplaced:
      return "replaced";
    case AddOutcome::kUnchanged:
      return "unchanged";
  }
  return "";
}

ordered_json ToJson(const DocumentRecord& record) {
  return {{"id", record.id},
          {"hash", record.hash},
          {"paths", record.paths},
          {"title", record.title},
          {"format", record.format},
          {"encoding", record.encoding},
          {"file_bytes", record.file_bytes},
          {"text_bytes", record.text_bytes},
          {"characters", record.characters},
          {"tokens", record.tokens},
          {"pages", record.pages},
          {"passages", record.passages.last - record.passages.first + 1},
          {"added_at", record.added_at},
          {"notes", record.notes}};
}

std::string NameOf(const DocumentRecord& record) {
  return PrintableLine(record.paths.empty() ? record.title : record.paths.front());
}

// Prints a line for each change of the shelf until Ctrl-C. A file that cannot be read is noted.
void Watch(const LibraryOptions& options, const CommandContext& context) {
  Library library = OpenUserLibrary(context);
  const auto embedder =
      OpenEmbedder(options.embedder, Way::kAuto, options.reading.threads, library);
  const auto add = [&](const std::filesystem::path& file) {
    try {
      const AddedDocument added = AddFile(library, file.string(), options.reading, context);
      EmbedNamed(library, embedder.get(), std::vector{NamedDocument{added.id, file.string()}},
                 context);
      if (added.outcome == AddOutcome::kUnchanged) return;
      fmt::print("#{} {} {}\n", added.id, OutcomeName(added.outcome), PrintableLine(file.string()));
      std::fflush(stdout);
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled) throw;
      PrintNote(Worded(error));
    }
  };
  const auto removed = [](const RemovedDocument& document) {
    fmt::print("#{} removed {}\n", document.record.id, NameOf(document.record));
    std::fflush(stdout);
  };
  FollowFolder(library, options.watched, {.add = add, .removed = removed},
               {.stop = context.stop, .progress = {}});
}

// Adds the files that can be added. A bad file does not keep the others out, but the command fails.
void Add(const LibraryOptions& options, const CommandContext& context) {
  if (!options.watched.empty()) return Watch(options, context);
  if (options.names.empty()) {
    throw CLI::ValidationError("library add", "name the documents, or a folder with --watch");
  }
  Library library = OpenUserLibrary(context);
  const auto embedder =
      OpenEmbedder(options.embedder, Way::kAuto, options.reading.threads, library);
  ordered_json results = ordered_json::array();
  size_t failed = 0;
  for (const std::string& file : options.names) {
    try {
      const AddedDocument added = AddFile(library, file, options.reading, context);
      EmbedNamed(library, embedder.get(), std::vector{NamedDocument{added.id, file}}, context);
      const DocumentRecord record = library.Show(added.id);
      if (options.json) {
        ordered_json result = ToJson(record);
        result["outcome"] = OutcomeName(added.outcome);
        results.push_back(std::move(result));
      } else {
        fmt::print("#{} {} {} ({} characters)\n", added.id, OutcomeName(added.outcome),
                   PrintableLine(file), record.characters);
      }
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled || options.names.size() == 1) throw;
      PrintNote(Worded(error));
      ++failed;
    }
  }
  if (options.json) PrintJson({{"documents", results}});
  if (failed > 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} of {} files could not be added", failed, options.names.size()));
  }
}

void List(const LibraryOptions& options, const CommandContext& context) {
  Library library = OpenUserLibrary(context);
  const std::vector<DocumentRecord> records = library.List();
  if (options.json) {
    ordered_json documents = ordered_json::array();
    for (const DocumentRecord& record : records) documents.push_back(ToJson(record));
    PrintJson({{"documents", documents}});
    return;
  }
  for (const DocumentRecord& record : records) {
    fmt::print(
        "{} {:<8} {:>10} characters  {}\n",
        Styled(fmt::format("{:>5}", fmt::format("#{}", record.id)), Style::kBold, STDOUT_FILENO),
        record.format, record.characters, NameOf(record));
  }
}

SnapshotStore OpenMemories() { return {MemoriesFolder(), INT64_MAX}; }

// The snapshots and state snapshots that share root, model and title: what one model keeps of one
// text under the same settings.
struct KeptMemory {
  SnapshotHeader header;  // of any one of its snapshots
  int64_t states = 0;     // number of state snapshots
  // The end of the last snapshot. Fewer tokens are restored where an earlier snapshot is missing,
  // or where recurrent layers have no state at the end.
  int64_t tokens = 0;
  int64_t bytes = 0;
};

std::vector<KeptMemory> KeptMemories(const SnapshotStore& store) {
  std::map<std::tuple<SnapshotKey, std::string, std::string>, KeptMemory> memories;
  for (const auto& entry : store.List()) {
    KeptMemory& memory = memories[{entry.header.root, entry.header.model, entry.header.title}];
    memory.header = entry.header;
    memory.tokens = std::max(memory.tokens, entry.header.first + entry.tokens);
    memory.bytes += entry.bytes;
  }
  for (const auto& entry : store.ListStates()) {
    const StateHeader& header = entry.header;
    const auto memory = memories.find({header.root, header.model, header.title});
    if (memory == memories.end()) continue;  // a state is of no use without its tokens
    ++memory->second.states;
    memory->second.bytes += entry.bytes;
  }
  std::vector<KeptMemory> list;
  for (auto& [key, memory] : memories) list.push_back(std::move(memory));
  return list;
}

void ShowMemories(const LibraryOptions& options) {
  const SnapshotStore store = OpenMemories();
  const std::vector<KeptMemory> memories = KeptMemories(store);
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const KeptMemory& memory : memories) {
      list.push_back(
          {{"title", memory.header.title},
           {"model", memory.header.model},
           {"kv", memory.header.shape.layers > 0 ? ordered_json(NameOf(memory.header.kv.main))
                                                 : ordered_json(nullptr)},
           {"states", memory.states},
           {"tokens", memory.tokens},
           {"bytes", memory.bytes}});
    }
    PrintJson({{"memories", list}, {"bytes", store.bytes()}});
    return;
  }
  for (const KeptMemory& memory : memories) {
    fmt::print("{:>10} tokens {:>8} MiB  {:<4}  {}  {}\n", memory.tokens, memory.bytes >> 20,
               memory.header.shape.layers > 0 ? NameOf(memory.header.kv.main) : "-",
               PrintableLine(memory.header.model), PrintableLine(memory.header.title));
  }
  fmt::print("{} MiB are kept of what models have read, in {}\n", store.bytes() >> 20,
             store.folder().string());
}

void Verify(const LibraryOptions& options, const CommandContext& context) {
  SnapshotStore store = OpenMemories();
  std::vector<std::filesystem::path> wrong;
  VerifiedMemory verified;
  {
    ProgressBar bar("memories");
    const WorkControl control{.stop = context.stop, .progress = bar.Function()};
    wrong = store.FindDamaged(control);
    if (!options.model.named.empty()) {
      const auto model =
          OpenModel(ModelNamed(options.model.named), options.reading.threads, ModelUse::kText);
      verified = VerifyMemories(store, *model, options.samples, control);
      wrong.insert(wrong.end(), verified.different.begin(), verified.different.end());
    }
  }
  std::sort(wrong.begin(), wrong.end());
  wrong.erase(std::unique(wrong.begin(), wrong.end()), wrong.end());
  if (!wrong.empty() && !options.remove) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: is not what was computed, and so for {} kept memories in all; "
                            "verify with --remove, and they are read again",
                            wrong.front().string(), wrong.size()));
  }
  for (const auto& path : wrong) std::filesystem::remove(path);
  const SnapshotStore left = OpenMemories();
  const size_t snapshots = left.List().size() + left.ListStates().size();
  if (options.json) {
    PrintJson(
        {{"snapshots", snapshots}, {"recomputed", verified.recomputed}, {"removed", wrong.size()}});
  } else {
    fmt::print("{} snapshots are what was written; {} were computed anew and are the same\n{}",
               snapshots, verified.recomputed,
               wrong.empty() ? "" : fmt::format("{} others were removed\n", wrong.size()));
  }
}

void Show(const LibraryOptions& options, const CommandContext& context) {
  if (options.names.empty()) return ShowMemories(options);
  Library library = OpenUserLibrary(context);
  const DocumentRecord record = library.Show(library.Resolve(options.names.front()));
  const std::vector<Section> sections = library.Sections(record.id);
  if (options.json) {
    ordered_json result = ToJson(record);
    result["sections"] = ordered_json::array();
    for (const Section& section : sections) {
      result["sections"].push_back({{"title", section.title},
                                    {"level", section.level},
                                    {"begin", section.span.begin},
                                    {"end", section.span.end}});
    }
    PrintJson(result);
    return;
  }
  fmt::print("#{} {}\n", record.id, PrintableLine(record.title));
  for (const std::string& path : record.paths)
    fmt::print("  file        {}\n", PrintableLine(path));
  fmt::print("  format      {}{}{}\n", record.format, record.encoding.empty() ? "" : ", ",
             record.encoding);
  fmt::print("  text        {} characters, {} bytes, about {} tokens\n", record.characters,
             record.text_bytes, record.tokens);
  if (record.pages > 0) fmt::print("  pages       {}\n", record.pages);
  fmt::print("  passages    {}\n", record.passages.last - record.passages.first + 1);
  fmt::print("  hash        {}\n  added       {}\n", record.hash, record.added_at);
  for (const std::string& note : record.notes)
    fmt::print("  note        {}\n", PrintableLine(note));
  for (const Section& section : sections) {
    fmt::print("  {:{}}{}\n", "", 2 * section.level, PrintableLine(section.title));
  }
}

void Remove(const LibraryOptions& options, const CommandContext& context) {
  Library library = OpenUserLibrary(context);
  std::vector<DocumentId> ids;
  for (const std::string& name : options.names) ids.push_back(library.Resolve(name));
  ordered_json all = ordered_json::array();
  for (const DocumentId id : ids) {
    const std::string name = NameOf(library.Show(id));
    RemovedDocument removed;
    {
      ProgressBar bar(name);
      removed = library.Remove(id, {.stop = context.stop, .progress = bar.Function()});
    }
    const int64_t freed = removed.freed_memory_bytes;
    all.push_back({{"id", id},
                   {"hash", removed.record.hash},
                   {"paths", removed.record.paths},
                   {"freed_memory_bytes", freed}});
    if (options.json) continue;
    fmt::print("#{} removed {}{}\n", id, name,
               freed > 0 ? fmt::format(", and {} that models remembered of it", MiB(freed)) : "");
  }
  if (options.json) PrintJson({{"documents", all}});
}

// Declares one subcommand of `library`.
CLI::App* AddAction(CLI::App& library, const char* name, const char* description,
                    const std::shared_ptr<LibraryOptions>& options, CommandContext& context,
                    void (*action)(const LibraryOptions&, const CommandContext&)) {
  CLI::App* command = library.add_subcommand(name, description);
  command->callback([options, &context, action] {
    context.run = [options, &context, action] { action(*options, context); };
  });
  return command;
}

}  // namespace

void AddLibraryCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<LibraryOptions>();
  CLI::App* library = app.add_subcommand("library", "The shelf of documents that were read");
  library->require_subcommand(1);
  library->footer(
      "A document is kept by its content: a renamed file is not read again, a changed one "
      "replaces\n"
      "what it was. The library is one file, library.db, in $TOME_HOME (default: the XDG data "
      "folder).\n"
      "Examples:\n  tome library add *.pdf\n  tome library list");

  CLI::App* add = AddAction(*library, "add", "Read files into the library", options, context, Add);
  CLI::Option* files =
      add->add_option("files", options->names, "The documents")->type_name("FILE…");
  add->add_option("--watch", options->watched,
                  "Adds all files below a folder, and follows what changes there until Ctrl-C")
      ->excludes(files)
      ->type_name("FOLDER");
  AddEmbedderOption(*add, options->embedder);
  AddReadingOptions(*add, options->reading);
  add->add_flag("--json", options->json, "Print one JSON object");
  add->footer(
      "Examples:\n  tome library add *.pdf\n  tome library add --encoding GB18030 novel.txt\n"
      "  tome library add --watch ~/Documents");

  CLI::App* list = AddAction(*library, "list", "List the documents", options, context, List);
  list->add_flag("--json", options->json, "Print one JSON object");
  list->footer("Example:\n  tome library list --json | jq '.documents[].title'");

  CLI::App* show =
      AddAction(*library, "show", "Show what is known of a document, or what models have read",
                options, context, Show);
  show->add_option("document", options->names,
                   "Its number, path, file name or hash; none: the kept memories of models")
      ->expected(0, 1)
      ->type_name("DOCUMENT");
  show->add_flag("--json", options->json, "Print one JSON object");
  show->footer("Example:\n  tome library show novel.epub");

  CLI::App* verify =
      AddAction(*library, "verify", "Check the kept memories of models", options, context, Verify);
  AddModelOption(*verify, options->model, WithoutModel::kNone);
  verify
      ->add_option("--samples", options->samples,
                   "With --model: so many of its snapshots are computed anew and compared")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  verify->add_flag("--remove", options->remove, "Remove those that are wrong");
  verify->add_flag("--json", options->json, "Print one JSON object");
  verify->footer("Example:\n  tome library verify --model qwen3.gguf --samples 10");

  CLI::App* remove = AddAction(*library, "remove", "Remove documents", options, context, Remove);
  remove->add_option("documents", options->names, "Their numbers, paths, file names or hashes")
      ->required()
      ->type_name("DOCUMENT…");
  remove->add_flag("--json", options->json, "Print one JSON object");
  remove->footer(
      "What models remember of them goes with them; the files themselves stay.\nExample:\n  tome "
      "library remove '#12' old.pdf");
}

}  // namespace tome
