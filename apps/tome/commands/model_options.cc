#include "commands/model_options.h"

namespace tome {

CLI::Option* AddModelOption(CLI::App& command, ModelOptions& options, ModelNeed need) {
  CLI::Option* option =
      command
          .add_option("--model", options.path,
                      "The model: a .gguf file, or a folder with config.json and safetensors")
          ->type_name("PATH");
  if (need == ModelNeed::kRequired) option->required();
  return option;
}

void AddKvOption(CLI::App& command, std::optional<KvType>& kv) {
  std::vector<std::string> names;
  for (const KvType type : kKvTypes) names.emplace_back(NameOf(type));
  const std::string_view standard = kv ? NameOf(*kv) : "f16, or bf16 where the processor has it";
  command
      .add_option_function<std::string>(
          "--kv", [&kv](const std::string& name) { kv = KvTypeFromName(name).value(); },
          "Type in which keys and values are remembered; q8 and q4 take a half and a quarter of "
          "the memory of f16, at a loss")
      ->check(CLI::IsMember(names))
      ->default_str(std::string(standard));
}

void AddSamplingOptions(CLI::App& command, SamplingOptions& options) {
  command
      .add_option("--temperature", options.temperature, "Randomness; 0 always takes the likeliest")
      ->capture_default_str()
      ->type_name("X");
  command.add_option("--top-k", options.top_k, "Choose among the K likeliest tokens; 0: all")
      ->capture_default_str()
      ->type_name("K");
  command
      .add_option("--top-p", options.top_p, "Choose among the likeliest that make up this share")
      ->capture_default_str()
      ->type_name("P");
  command
      .add_option("--min-p", options.min_p, "Leave out tokens below this share of the likeliest's")
      ->capture_default_str()
      ->type_name("P");
  command
      .add_option("--repetition-penalty", options.repetition_penalty,
                  "Makes tokens of late unlikelier; 1: does not")
      ->capture_default_str()
      ->type_name("X");
  command.add_option("--seed", options.seed, "The same seed gives the same text")
      ->capture_default_str()
      ->type_name("N");
}

void AddThreadsOption(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "Threads to compute with (default: all processors)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
}

}  // namespace tome
