#include "commands/answering.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tome/base/error.h"

namespace tome {

void AddWayOption(CLI::App& command, std::string& way) {
  std::vector<std::string> names;
  for (const Way each : kWays) names.emplace_back(NameOf(each));
  command
      .add_option(
          "--way", way,
          "How documents are read: whole, by a model that attends to all of them (context) "
          "or whose memory does not grow (linear); in passages that a search finds "
          "(retrieval); part by part, for questions about the whole (survey); without a model "
          "(quotes)")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

Way WayOf(const std::string& name) {
  for (const Way way : kWays) {
    if (NameOf(way) == name) return way;
  }
  throw Error(Code::kInvalidArgument, "--way: there is no way \"" + name + "\"");
}

std::optional<std::filesystem::path> ModelForWay(const std::string& way,
                                                 const ModelOptions& model) {
  if (way == "quotes") return std::nullopt;
  auto path = FindModel(model);
  if (path || way == "auto") return path;
  throw CLI::ValidationError(
      "--way", fmt::format("{} needs a model; name it with --model PATH, or make one the default "
                           "with `tome model add PATH --default`",
                           way));
}

namespace {

void AddEvidenceOptions(CLI::App& command, ModelAnswerOptions& answering) {
  std::vector<std::string> names{"auto"};
  for (const EvidenceAmount amount : kEvidenceAmounts) names.emplace_back(NameOf(amount));
  command
      .add_option_function<std::string>(
          "--evidence",
          [&answering](const std::string& name) {
            answering.amount.reset();
            for (const EvidenceAmount amount : kEvidenceAmounts) {
              if (NameOf(amount) == name) answering.amount = amount;
            }
          },
          "How much evidence an answer is written from: one sentence, a few, or all of the text "
          "that was read; auto: the most that the model was found to answer well from")
      ->check(CLI::IsMember(names))
      ->default_str("auto");
  command.add_flag("--strict", answering.strict,
                   "Leave out sentences of an answer that the documents do not support");
}

}  // namespace

void AddPlanningOptions(CLI::App& command, ModelAnswerOptions& answering) {
  AddKvOption(command, answering.memory.kv);
  AddAttentionOption(command, answering.memory.attention_mass);
  AddMemoryOption(command, answering.memory.resident_bytes, answering.memory.spill_folder);
  AddLongerOption(command, answering.memory.longer);
  command
      .add_option("--budget", answering.budget_seconds,
                  "Seconds that reading whole documents may take before `auto` reads passages")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->type_name("SECONDS");
  command
      .add_option("--passage-tokens", answering.limits.passage_tokens,
                  "Tokens of passages that `retrieval` gives the model")
      ->check(CLI::Range(1, 1 << 30))
      ->default_str(fmt::format("{}, or what the model has room for", kDefaultPassageTokens))
      ->type_name("N");
  command.add_option("--max-tokens", answering.limits.answer_tokens, "Longest answer in tokens")
      ->check(CLI::Range(1, 1 << 30))
      ->default_str(fmt::format("{}, or what the model has room for", kDefaultAnswerTokens))
      ->type_name("N");
  AddEvidenceOptions(command, answering);
}

void AddAnsweringOptions(CLI::App& command, ModelOptions& model, ModelAnswerOptions& answering) {
  AddModelOption(command, model, WithoutModel::kDefault);
  AddPlanningOptions(command, answering);
  AddSamplingOptions(command, answering.sampling);
}

}  // namespace tome
