#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/base/file.h"
#include "tome/models/tokenizer_of.h"

namespace tome {
namespace {

constexpr uint64_t kMaxTokenizedBytes = uint64_t{1} << 30;

struct TokenizeOptions {
  ModelOptions model;
  bool no_special = false;
  bool parse_special = false;
  bool json = false;
};

void Tokenize(const TokenizeOptions& options) {
  const Checkpoint checkpoint = Checkpoint::Open(NeedModel(options.model));
  const auto tokenizer = TokenizerOf(checkpoint);
  for (const std::string& note : TokenizerNotes(checkpoint)) PrintNote(note);
  const std::string text = ReadAll(STDIN_FILENO, kMaxTokenizedBytes, "standard input");
  const std::vector<TokenId> ids =
      tokenizer->Encode(text, options.parse_special ? Specials::kParse : Specials::kLiteral,
                        {.add_special = !options.no_special});
  if (options.json) {
    std::vector<std::string> pieces;
    pieces.reserve(ids.size());
    for (const TokenId id : ids) pieces.emplace_back(tokenizer->Piece(id));
    PrintJson({{"ids", ids}, {"pieces", std::move(pieces)}});
    return;
  }
  for (const TokenId id : ids) {
    fmt::print("{}\t{}\n", id, PrintableLine(tokenizer->Piece(id)));
  }
}

}  // namespace

void AddTokenizeCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command =
      app.add_subcommand("tokenize", "Show the tokens that a model makes of a text");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command->add_flag("--no-special", options->no_special, "Add no BOS and the like");
  command->add_flag("--parse-special", options->parse_special,
                    "Read the text of special tokens as those tokens");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "The text is read from standard input.\n"
      "Example:\n"
      "  echo -n \"Hello\" | tome tokenize --model qwen3.gguf");
  command->callback([options, &context] { context.run = [options] { Tokenize(*options); }; });
}

}  // namespace tome
