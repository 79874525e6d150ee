#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/eval/memory_speed.h"
#include "tome/generate/language_model.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct BenchMemoryCommand {
  ModelOptions model;
  MemorySpeedOptions speed;
  int threads = 0;
  bool json = false;
};

void PrintText(const LanguageModel& model, const BenchMemoryCommand& options,
               const MemorySpeed& speed) {
  const auto mega = [](double bytes) { return bytes / 1e6; };
  fmt::print(
      "{}; kernels {}, {} threads, memory in {}\n"
      "its files are hashed in {:.0f} ms, once a process\n\n",
      PrintableLine(model.name()), model.compute().kernels.name, model.compute().threads.threads(),
      NameOf(speed.kv), 1e3 * speed.hash_seconds);
  if (speed.keeping) {
    fmt::print("reading {} tokens: {:.2f} s, and {:.2f} s when they are kept: {:+.1f} %\n",
               speed.keeping->tokens, speed.keeping->seconds, speed.keeping->keeping_seconds,
               100 * speed.keeping->share);
  }
  fmt::print(
      "{} tokens, kept: {:.0f} MB, written in {:.2f} s\n"
      "a token behind them: {:.1f} ms, and {:.1f} ms when they come back first ({:.1f} ms, page "
      "cache warm): {:.2f} times\n",
      options.speed.tokens, mega(static_cast<double>(speed.reopening.bytes)),
      speed.reopening.keep_seconds, 1e3 * speed.reopening.step_seconds,
      1e3 * speed.reopening.reopen_seconds, 1e3 * speed.reopening.restore_seconds,
      speed.reopening.ratio);
  if (speed.cold) {
    fmt::print("from a cold disk: {:.0f} MB/s, of {:.0f} MB/s at which it is read: {:.0f} %\n",
               mega(speed.cold->restore_bytes_per_second), mega(speed.cold->disk_bytes_per_second),
               100 * speed.cold->ratio);
  } else {
    fmt::print("from a cold disk: not measured; the system keeps the files in its page cache\n");
  }
}

void BenchMemory(BenchMemoryCommand& options, const CommandContext& context) {
  const auto model = OpenModel(NeedModel(options.model), options.threads, ModelUse::kText);
  options.speed.folder = MemoriesFolder().parent_path();
  MemorySpeed speed;
  {
    ProgressBar bar(model->name());
    speed = MeasureMemorySpeed(*model, options.speed,
                               {.stop = context.stop, .progress = bar.Function()});
  }
  if (!options.json) return PrintText(*model, options, speed);
  ordered_json keeping = nullptr;
  if (speed.keeping) {
    keeping = {{"tokens", speed.keeping->tokens},
               {"seconds", speed.keeping->seconds},
               {"keeping_seconds", speed.keeping->keeping_seconds},
               {"share", speed.keeping->share}};
  }
  ordered_json cold = nullptr;
  if (speed.cold) {
    cold = {{"disk_bytes_per_second", speed.cold->disk_bytes_per_second},
            {"restore_bytes_per_second", speed.cold->restore_bytes_per_second},
            {"ratio", speed.cold->ratio}};
  }
  PrintJson({{"model", model->name()},
             {"kernels", model->compute().kernels.name},
             {"threads", model->compute().threads.threads()},
             {"kv", NameOf(speed.kv)},
             {"tokens", options.speed.tokens},
             {"hash_seconds", speed.hash_seconds},
             {"keeping", std::move(keeping)},
             {"reopening",
              {{"bytes", speed.reopening.bytes},
               {"keep_seconds", speed.reopening.keep_seconds},
               {"step_seconds", speed.reopening.step_seconds},
               {"restore_seconds", speed.reopening.restore_seconds},
               {"reopen_seconds", speed.reopening.reopen_seconds},
               {"ratio", speed.reopening.ratio}}},
             {"cold", std::move(cold)}});
}

}  // namespace

void AddBenchMemoryCommand(CLI::App& bench, CommandContext& context) {
  auto options = std::make_shared<BenchMemoryCommand>();
  CLI::App* command = bench.add_subcommand(
      "memory", "What keeping a model's memory on disk costs, and having it back");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command
      ->add_option("--tokens", options->speed.tokens,
                   "Tokens of the memory that is kept and comes back")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--read", options->speed.read,
                   "Tokens that are read each time with and without keeping them: a multiple of "
                   "1024; 0 leaves that out, which takes longest")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--rounds", options->speed.rounds,
                   "How often each is measured, in turn with what it is compared with; figures are "
                   "medians")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  AddKvOption(*command, options->speed.kv);
  AddThreadsOption(*command, options->threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "The files lie in a folder of their own in the library's, which goes in the end. The memory "
      "is made up:\nspeed does not depend on what is in it.\n"
      "Example:\n"
      "  tome bench memory --model qwen3.gguf --tokens 100000");
  command->callback([options, &context] {
    context.run = [options, &context] { BenchMemory(*options, context); };
  });
}

}  // namespace tome
