#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "commands/reading.h"
#include "tome/base/error.h"

namespace tome {
namespace {

struct TextOptions {
  std::string file;
  ReadingOptions reading;
};

void PrintText(const TextOptions& options, const CommandContext& context) {
  Library library = OpenUserLibrary(context);
  const DocumentId id = AddFile(library, options.file, options.reading, context).id;
  const std::string text = library.Text(id);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw SystemError("standard output", errno);
  }
}

}  // namespace

void AddTextCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<TextOptions>();
  CLI::App* command =
      app.add_subcommand("text", "Print a document's normalized text, which citations count in");
  command->add_option("file", options->file, "The document")->required()->type_name("FILE");
  AddReadingOptions(*command, options->reading);
  command->footer(
      "Bytes [begin, end) of the output are the quote of a citation with these positions.\n"
      "Examples:\n"
      "  tome text report.pdf > report.txt\n"
      "  tome text novel.epub | head -c 2000");
  command->callback(
      [options, &context] { context.run = [options, &context] { PrintText(*options, context); }; });
}

}  // namespace tome
