#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "commands/reading.h"
#include "commands/text_tokens.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/eval/kv_loss.h"
#include "tome/eval/random_tokens.h"
#include "tome/generate/language_model.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct BenchKvCommand {
  ModelOptions model;
  std::string text;
  int64_t tokens = 4096;
  std::vector<KvType> types{KvType::kQ8, KvType::kQ4};
  int threads = 0;
  bool json = false;
};

std::vector<TokenId> TextTokens(const BenchKvCommand& options, const LanguageModel& model) {
  std::vector<TokenId> tokens = TokensOfFile(model, options.text);
  if (static_cast<int64_t>(tokens.size()) > options.tokens) {
    tokens.resize(static_cast<size_t>(options.tokens));
  }
  return tokens;
}

void PrintText(const LanguageModel& model, const BenchKvCommand& options, const KvLosses& losses) {
  fmt::print(
      "{}; kernels {}; {} tokens of {}\n"
      "divergence of the next token's distribution from that with keys and values in {}\n\n",
      PrintableLine(model.name()), model.compute().kernels.name, losses.exact.tokens,
      options.text.empty() ? "nothing, drawn at random" : PrintableLine(options.text),
      NameOf(losses.exact.kv));
  constexpr const char* kRow = "{:<5} {:>10} {:>10} {:>10} {:>11} {:>15} {:>12}\n";
  fmt::print(kRow, "kv", "mean KL", "99 % below", "largest", "perplexity", "same likeliest",
             "bytes/token");
  const auto print = [&](const KvLoss& loss) {
    fmt::print(kRow, NameOf(loss.kv), fmt::format("{:.3g}", loss.mean_kl),
               fmt::format("{:.3g}", loss.p99_kl), fmt::format("{:.3g}", loss.largest_kl),
               fmt::format("{:.5g}", loss.perplexity), fmt::format("{:.2f} %", 100 * loss.same_top),
               fmt::format("{:.0f}", loss.bytes_per_token));
  };
  print(losses.exact);
  for (const KvLoss& loss : losses.losses) print(loss);
}

void BenchKv(const BenchKvCommand& options, const CommandContext& context) {
  const auto model = OpenModel(NeedModel(options.model), options.threads, ModelUse::kText);
  const bool random = options.text.empty();
  std::mt19937 generator(1);
  const std::vector<TokenId> tokens =
      random ? RandomTokens(generator, options.tokens, model->model().facts().vocabulary)
             : TextTokens(options, *model);
  const auto count = static_cast<int64_t>(tokens.size());
  if (count > model->model().facts().trained_tokens) {
    PrintNote(fmt::format("note: {} tokens are read; the model was made for {}", count,
                          model->model().facts().trained_tokens));
  }
  KvLosses losses;
  {
    ProgressBar bar(model->name());
    losses = MeasureKvLoss(model->model(), model->compute(), tokens, options.types,
                           {.stop = context.stop, .progress = bar.Function()});
  }
  if (random) {
    PrintNote(
        "note: the tokens are random, which no model was made for: nothing is kept of this, and "
        "--kv q4 needs a measurement with --text FILE");
  } else {
    Measurements measurements = OpenUserMeasurements(context);
    const std::string key = model->FilesKey().ToString();
    for (const KvLoss& loss : losses.losses) measurements.KeepKvLoss(key, loss);
  }
  if (!options.json) return PrintText(*model, options, losses);
  ordered_json types = ordered_json::array();
  for (const KvLoss& loss : losses.losses) types.push_back(ToJson(loss));
  PrintJson({{"model", model->name()},
             {"kernels", model->compute().kernels.name},
             {"text", random ? ordered_json(nullptr) : ordered_json(options.text)},
             {"tokens", count},
             {"exact", ToJson(losses.exact)},
             {"losses", std::move(types)},
             {"kept", !random}});
}

}  // namespace

void AddBenchKvCommand(CLI::App& bench, CommandContext& context) {
  auto options = std::make_shared<BenchKvCommand>();
  CLI::App* command = bench.add_subcommand(
      "kv", "What keys and values in fewer bits lose, and allow --kv q4 by it");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command
      ->add_option("--text", options->text,
                   "A text file that the model reads (default: random tokens, of which nothing is "
                   "kept)")
      ->type_name("FILE");
  command->add_option("--tokens", options->tokens, "Tokens of the text at most")
      ->check(CLI::Range(kLeastLossTokens, int64_t{1} << 30))
      ->capture_default_str()
      ->type_name("N");
  AddKvListOption(*command, options->types);
  AddThreadsOption(*command, options->threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "The text is read once, with a memory of 16 bits and one of each type side by side. What a\n"
      "text gave is kept; `ask`, `chat`, `read`, `plan` and `generate` announce it "
      "when\nthey read with the type, and allow --kv q4 only then.\n"
      "Example:\n"
      "  tome text novel.epub > novel.txt\n"
      "  tome bench kv --model qwen3.gguf --text novel.txt --kv q8,q4");
  command->callback(
      [options, &context] { context.run = [options, &context] { BenchKv(*options, context); }; });
}

}  // namespace tome
