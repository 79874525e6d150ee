#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <utility>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "commands/sparse_output.h"
#include "commands/text_tokens.h"
#include "terminal.h"
#include "tome/base/error.h"
#include "tome/eval/speed.h"
#include "tome/generate/language_model.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct BenchSpeedCommand {
  ModelOptions model;
  SpeedOptions speed;
  std::string text;
  int threads = 0;
  bool json = false;
};

ordered_json ToJson(const Speed& speed) {
  if (speed.tokens == 0) return nullptr;
  return {{"tokens", speed.tokens},
          {"tokens_per_second", speed.tokens_per_second},
          {"limit_tokens_per_second", speed.limit_tokens_per_second},
          {"share", speed.share()}};
}

std::string ToText(const Speed& speed) {
  if (speed.tokens == 0) return fmt::format("{:>18}", "-");
  if (speed.limit_tokens_per_second == 0) return fmt::format("{:>18.1f}", speed.tokens_per_second);
  return fmt::format("{:>11.1f} ({:>3.0f} %)", speed.tokens_per_second, 100 * speed.share());
}

void PrintText(const LanguageModel& model, const BenchSpeedCommand& options,
               const MachineLimits& limits, const std::vector<SpeedAtDepth>& speeds) {
  const auto giga = [](double rate) {
    return rate > 0 ? fmt::format("{:.0f}", rate / 1e9) : std::string("none");
  };
  fmt::print(
      "{}; kernels {}, {} threads, memory in {}; tokens of {}\n"
      "limits: fp32 {} GFLOP/s, bf16 {} GFLOP/s, int8 {} GOP/s, reads {:.1f} GB/s\n\n"
      "tokens a second (share of the limit)\n"
      "{:>9} {:>18} {:>18} {:>18}\n",
      PrintableLine(model.name()), model.compute().kernels.name, model.compute().threads.threads(),
      NameOf(options.speed.kv.value_or(model.model().facts().kv_type)),
      options.text.empty() ? "nothing, drawn at random" : PrintableLine(options.text),
      giga(limits.f32_per_second), giga(limits.bf16_per_second), giga(limits.int8_per_second),
      limits.bytes_per_second / 1e9, "depth", "read up to it",
      fmt::format("read {} more", options.speed.prompt),
      fmt::format("write {}", options.speed.generate));
  for (const SpeedAtDepth& at : speeds) {
    fmt::print("{:>9} {} {} {}\n", at.depth, ToText(at.fill), ToText(at.prompt),
               ToText(at.generate));
    if (at.sparse) PrintNote(NoteOf(*at.sparse));
  }
  if (options.speed.rounds > 1 && speeds.size() > 1) {
    fmt::print("\na token's time, of that at {} (medians of {} rounds)\n", speeds.front().depth,
               options.speed.rounds);
    const auto cost = [](double times) {
      return times > 0 ? fmt::format("{:>18.3f}", times) : fmt::format("{:>18}", "-");
    };
    for (const SpeedAtDepth& at : speeds) {
      fmt::print("{:>9} {:>18} {} {}\n", at.depth, "", cost(at.prompt_cost),
                 cost(at.generate_cost));
    }
  }
  if (!options.speed.questions.empty()) {
    fmt::print("\nquestions about one document, each writing {}: tokens a second of all\n{:>9}",
               options.speed.generate, "depth");
    for (const int64_t questions : options.speed.questions) fmt::print(" {:>18}", questions);
    for (const SpeedAtDepth& at : speeds) {
      fmt::print("\n{:>9}", at.depth);
      for (const SpeedTogether& together : at.together)
        fmt::print(" {}", ToText(together.generate));
    }
    fmt::print("\n");
  }
  fmt::print("\npeak memory {:.0f} MiB, of it {:.0f} MiB keys and values at the deepest\n",
             static_cast<double>(PeakMemory()) / (1 << 20),
             static_cast<double>(speeds.back().kv_bytes) / (1 << 20));
}

void BenchSpeed(BenchSpeedCommand& options, const CommandContext& context) {
  const std::filesystem::path model_path =
      NeedModel(options.model);  // before the machine is measured
  MachineLimits limits;
  {
    ThreadPool threads(options.threads > 0 ? options.threads : ProcessorCount());
    limits = MeasureLimits({SelectKernelSet(), threads});
  }
  ResetPeakMemory();  // the measurement of the limits does not count as the model's
  const auto model = OpenModel(model_path, options.threads, ModelUse::kText);
  const Compute compute = model->compute();
  if (!options.text.empty()) {
    options.speed.tokens = TokensOfFile(*model, options.text);
    if (options.speed.tokens.empty()) {
      throw Error(Code::kInvalidArgument, options.text + ": there is no text in it");
    }
  }
  std::vector<SpeedAtDepth> speeds;
  {
    ProgressBar bar(model->name());
    speeds = MeasureSpeed(model->model(), compute, limits, options.speed,
                          {.stop = context.stop, .progress = bar.Function()});
  }
  if (!options.json) return PrintText(*model, options, limits, speeds);
  ordered_json depths = ordered_json::array();
  for (const SpeedAtDepth& at : speeds) {
    ordered_json together = ordered_json::array();
    for (const SpeedTogether& each : at.together) {
      together.push_back({{"questions", each.questions}, {"generate", ToJson(each.generate)}});
    }
    depths.push_back({{"depth", at.depth},
                      {"fill", ToJson(at.fill)},
                      {"prompt", ToJson(at.prompt)},
                      {"generate", ToJson(at.generate)},
                      {"prompt_cost", at.prompt_cost},
                      {"generate_cost", at.generate_cost},
                      {"together", std::move(together)},
                      {"kv_bytes", at.kv_bytes},
                      {"attention", ToJson(at.sparse)}});
  }
  PrintJson({{"model", model->name()},
             {"kernels", compute.kernels.name},
             {"threads", compute.threads.threads()},
             {"kv", NameOf(options.speed.kv.value_or(model->model().facts().kv_type))},
             {"text", options.text.empty() ? ordered_json(nullptr) : ordered_json(options.text)},
             {"limits",
              {{"f32_per_second", limits.f32_per_second},
               {"bf16_per_second", limits.bf16_per_second},
               {"int8_per_second", limits.int8_per_second},
               {"bytes_per_second", limits.bytes_per_second}}},
             {"depths", depths},
             {"peak_memory_bytes", PeakMemory()}});
}

}  // namespace

void AddBenchCommand(CLI::App& app, CommandContext& context) {
  CLI::App* bench = app.add_subcommand("bench", "Measure a model on this machine");
  bench->require_subcommand(1);
  AddBenchKvCommand(*bench, context);
  AddBenchMemoryCommand(*bench, context);
  auto options = std::make_shared<BenchSpeedCommand>();
  CLI::App* command = bench->add_subcommand(
      "speed", "Tokens a second of reading and writing, beside what the machine could do at most");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command->add_option("--prompt", options->speed.prompt, "Tokens to read at each depth")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--generate", options->speed.generate, "Tokens to write at each depth")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--depth", options->speed.depths,
                   "Tokens already read when measuring begins; several with commas")
      ->check(CLI::Range(0, 1 << 30))
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--questions", options->speed.questions,
                   "Also write for so many questions about one document together; several with "
                   "commas")
      ->check(CLI::Range(1, 1024))
      ->delimiter(',')
      ->type_name("N");
  command
      ->add_option(
          "--text", options->text,
          "A text file that the tokens come from, again and again (default: random tokens)")
      ->type_name("FILE");
  command
      ->add_option("--rounds", options->speed.rounds,
                   "Measure so many times at each depth, in turn, and give medians")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  AddKvOption(*command, options->speed.kv);
  AddAttentionOption(*command, options->speed.attention_mass);
  AddMemoryOption(*command, options->speed.resident_bytes, options->speed.spill_folder);
  AddThreadsOption(*command, options->threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Exact attention is as fast with any tokens; what sparse attention leaves out depends on the "
      "text.\n"
      "Example:\n"
      "  tome bench speed --model qwen3.gguf --depth 0,4096,16384\n"
      "  tome bench speed --model qwen3.gguf --depth 65536 --text novel.txt --attention sparse");
  command->callback([options, &context] {
    context.run = [options, &context] { BenchSpeed(*options, context); };
  });
}

}  // namespace tome
