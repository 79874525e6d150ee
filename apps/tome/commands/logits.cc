#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "tome/base/error.h"
#include "tome/models/registry.h"

namespace tome {
namespace {

struct LogitsOptions {
  ModelOptions model;
  std::optional<KvType> kv = KvType::kF32;
  std::optional<ContextExtension> longer;
  int64_t window = 0;
  int64_t sinks = 0;
  std::vector<TokenId> tokens;
  int64_t top = 0;
  int64_t chunk = 0;
  int threads = 0;
  bool last = false;
  bool json = false;
};

nlohmann::ordered_json RowOf(std::span<const float> row, int64_t top) {
  if (top == 0) return std::vector<float>(row.begin(), row.end());
  std::vector<size_t> order(row.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto count = static_cast<std::ptrdiff_t>(std::min(order.size(), static_cast<size_t>(top)));
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](size_t a, size_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
  nlohmann::ordered_json best = nlohmann::ordered_json::array();
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const size_t id = order[static_cast<size_t>(i)];
    best.push_back({id, row[id]});
  }
  return best;
}

void PrintLogits(const LogitsOptions& options, const CommandContext& context) {
  const auto checkpoint =
      std::make_shared<const Checkpoint>(Checkpoint::Open(NeedModel(options.model)));
  ThreadPool threads(options.threads > 0 ? options.threads : ProcessorCount());
  const Compute compute{SelectKernelSet(), threads};
  const auto model = LoadModel(checkpoint, compute);
  const auto count = static_cast<int64_t>(options.tokens.size());
  Memory memory = model->NewMemory({.kv = options.kv,
                                    .max_tokens = count,
                                    .longer = options.longer,
                                    .window = options.window,
                                    .sinks = options.sinks});
  const std::span<const TokenId> tokens(options.tokens);
  const int64_t chunk = options.chunk > 0 ? options.chunk : count;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (int64_t begin = 0; begin < count; begin += chunk) {
    if (context.stop.stop_requested()) throw Error(Code::kCancelled, "interrupted");
    const int64_t size = std::min(chunk, count - begin);
    const bool final = begin + size == count;
    const BatchItem item{
        .memory = &memory,
        .tokens = tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(size)),
        .logits = !options.last ? LogitsOf::kAll
                  : final       ? LogitsOf::kLast
                                : LogitsOf::kNone};
    const Tensor logits = model->Forward({&item, 1}, compute);
    const auto width = static_cast<size_t>(logits.shape()[1]);
    for (size_t row = 0; row < static_cast<size_t>(logits.shape()[0]); ++row) {
      rows.push_back(RowOf(logits.floats().subspan(row * width, width), options.top));
    }
  }
  if (options.json) {
    PrintJson({{"tokens", options.tokens}, {"logits", std::move(rows)}});
  } else {
    for (const auto& row : rows) fmt::print("{}\n", row.dump());
  }
}

}  // namespace

void AddLogitsCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<LogitsOptions>();
  CLI::App* command = app.add_subcommand("logits", "Print a model's logits behind given tokens");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command->add_option("--tokens", options->tokens, "Token ids, separated by commas")
      ->required()
      ->delimiter(',')
      ->type_name("IDS");
  command->add_flag("--last", options->last, "Only behind the last token");
  command->add_option("--top", options->top, "Only the K largest of a row, as [id, value]")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("K");
  command->add_option("--chunk", options->chunk, "Tokens of one pass (default: all)")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  AddKvOption(*command, options->kv);
  AddLongerOption(*command, options->longer);
  AddStreamingOptions(*command, options->window, options->sinks);
  AddThreadsOption(*command, options->threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "A row a token, the vocabulary's size long.\n"
      "Example:\n"
      "  tome logits --model qwen3.gguf --tokens 9707,11 --last --top 5");
  command->callback([options, &context] {
    context.run = [options, &context] { PrintLogits(*options, context); };
  });
}

}  // namespace tome
