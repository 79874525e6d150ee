#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/base/error.h"
#include "tome/models/convert.h"

namespace tome {
namespace {

struct ConvertCommand {
  std::string in;
  std::string out;
  std::string type = "keep";
  int64_t infini_segment = 0;  // 0: not an Infini-attention model
  std::string infini_update = "linear";
  bool json = false;
};

void Convert(const ConvertCommand& command, const CommandContext& context) {
  ConvertOptions options;
  if (command.type != "keep") {
    options.type = DTypeFromName(command.type);
    if (!options.type || !IsDecodable(*options.type)) {
      throw CLI::ValidationError(
          "--type", fmt::format("{} is no type of weights; there are keep, f32, f16, bf16, q8_0, "
                                "q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k",
                                command.type));
    }
  }
  if (command.infini_segment != 0) {
    options.infini = {.segment = command.infini_segment, .delta = command.infini_update == "delta"};
  }
  const Checkpoint in = Checkpoint::Open(ModelNamed(command.in));
  Converted converted;
  {
    ProgressBar bar(command.out);
    options.control = {.stop = context.stop, .progress = bar.Function()};
    converted = ConvertModel(in, command.out, options);
  }
  for (const std::string& note : converted.notes) PrintNote(fmt::format("note: {}", note));
  if (command.json) {
    PrintJson({{"out", command.out},
               {"tensors", converted.tensors},
               {"bytes", converted.bytes},
               {"notes", converted.notes}});
  } else {
    fmt::print("{}: {} tensors, {:.1f} MiB\n", PrintableLine(command.out), converted.tensors,
               static_cast<double>(converted.bytes) / (1 << 20));
  }
}

}  // namespace

void AddConvertCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ConvertCommand>();
  CLI::App* command =
      app.add_subcommand("convert", "Change a model's container or the type of its weights");
  command
      ->add_option("in", options->in,
                   "The model: a .gguf file, a folder of safetensors, or an added one")
      ->required()
      ->type_name("MODEL");
  command->add_option("out", options->out, "A .gguf file, or a folder for safetensors")
      ->required()
      ->type_name("OUT");
  command
      ->add_option("--type", options->type,
                   "Type of matrices: keep, f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, "
                   "q5_k, q6_k")
      ->capture_default_str()
      ->type_name("TYPE");
  command
      ->add_flag("--infini{2048}", options->infini_segment,
                 "Add gates for Infini-attention to a dense model, to be fine-tuned, with segments "
                 "of so many tokens (--infini: 2048, --infini=512)")
      ->check(CLI::Range(int64_t{1}, kMaxInfiniSegment));
  command
      ->add_option("--infini-update", options->infini_update,
                   "How its memory learns: linear or delta")
      ->check(CLI::IsMember({"linear", "delta"}))
      ->capture_default_str()
      ->type_name("RULE");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Examples:\n"
      "  tome convert Qwen3-0.6B qwen3.gguf --type q8_0\n"
      "  tome convert qwen3.gguf small.gguf --type q4_k\n"
      "  tome convert qwen3.gguf folder --type bf16\n"
      "  tome convert Qwen3-0.6B qwen3-infini --infini=1024");
  command->callback(
      [options, &context] { context.run = [options, &context] { Convert(*options, context); }; });
}

}  // namespace tome
