#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "advice.h"
#include "age.h"
#include "commands/answering.h"
#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/length_output.h"
#include "commands/model_options.h"
#include "commands/reading.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/answer/conversation.h"
#include "tome/answer/document_names.h"
#include "tome/base/mebibytes.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct PlanOptions {
  std::vector<std::string> files;
  ModelOptions model;
  ModelAnswerOptions answering;
  ReadingOptions reading;
  KeepingOptions keeping;
  bool measure = false;
  bool json = false;
};

// The plan with the facts that it was made from.
struct Planned {
  const LanguageModel& model;
  const PlanFacts& facts;
  const Plan& plan;
  size_t documents;
  DocumentsSize size;
  const std::optional<KvLoss>& kv_loss;
};

template <typename T>
ordered_json OrNull(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json ToJson(const PlannedWay& way) {
  return {
      {"way", NameOf(way.way)},
      {"tokens", way.tokens},
      {"tokens_are_estimated", way.estimated},
      {"memory_bytes", way.memory_bytes},
      {"disk_bytes", way.disk_bytes},
      {"read_seconds", OrNull(way.read_seconds)},
      {"answer_token_seconds", OrNull(way.answer_seconds)},
      {"fits", !way.obstacle},
      {"why_not", way.obstacle ? ordered_json(Worded(way.obstacle->reason, way.obstacle->advice))
                               : ordered_json(nullptr)},
      {"kept", way.is_kept()},
      {"why_not_kept", way.not_kept ? ordered_json(Worded(*way.not_kept)) : ordered_json(nullptr)}};
}

// The bytes of keys and values of some tokens, and the bytes that they would take if every layer of
// the model were an attention layer.
struct AttentionPart {
  int64_t bytes = 0;
  int64_t bytes_if_all = 0;
};

AttentionPart AttentionPartOf(const PlanFacts& facts, int64_t tokens) {
  KvShape all = facts.model.kv;
  all.layers = facts.model.layers;
  return {.bytes = KvBytes(facts.model.kv, facts.kv, tokens),
          .bytes_if_all = KvBytes(all, facts.kv, tokens)};
}

// Returns whether some layers attend all tokens while others are recurrent.
bool IsHybrid(const ModelFacts& model) { return model.has_recurrent() && model.has_whole_kv(); }

ordered_json HybridToJson(const PlanFacts& facts) {
  if (!IsHybrid(facts.model)) return nullptr;
  const AttentionPart part = AttentionPartOf(facts, facts.model.trained_tokens);
  return {{"attention_layers", facts.model.kv.layers},
          {"layers", facts.model.layers},
          {"context_kv_bytes", part.bytes},
          {"context_kv_bytes_if_all_attended", part.bytes_if_all}};
}

ordered_json ToJson(const Planned& planned) {
  const PlanFacts& facts = planned.facts;
  ordered_json ways = ordered_json::array();
  for (const PlannedWay& way : planned.plan.ways) ways.push_back(ToJson(way));
  return {{"way", NameOf(planned.plan.taken)},
          {"why", Worded(planned.plan.why, planned.plan.advice)},
          {"ways", std::move(ways)},
          {"documents",
           {{"count", planned.documents},
            {"characters", planned.size.characters},
            {"tokens", planned.size.tokens}}},
          {"model", planned.model.name()},
          {"context_tokens", TokensOrNull(facts.model.trained_tokens)},
          {"trained_on_tokens", TokensOrNull(facts.model.native_tokens)},
          {"lengthened_by", facts.model.lengthened_by.empty()
                                ? ordered_json(nullptr)
                                : ordered_json(facts.model.lengthened_by)},
          {"longer", facts.longer ? ordered_json(NameOf(*facts.longer)) : ordered_json(nullptr)},
          {"answer_tokens", facts.answer_tokens},
          {"budget_seconds", facts.budget_seconds},
          {"free_memory_bytes", OrNull(facts.free_memory)},
          {"free_disk_bytes", OrNull(facts.free_disk)},
          {"kernels", planned.model.compute().kernels.name},
          {"threads", planned.model.compute().threads.threads()},
          {"kv", NameOf(facts.kv)},
          {"rates",
           {{"linear_per_second", facts.rates->linear_per_second},
            {"attention_per_second", facts.rates->attention_per_second},
            {"weight_bytes_per_second", facts.rates->weight_bytes_per_second},
            {"kv_bytes_per_second", facts.rates->kv_bytes_per_second}}},
          {"measured_at", facts.rates->measured_at},
          {"measured_under_load", facts.rates->under_load},
          {"kv_loss", ToJson(planned.kv_loss)},
          {"hybrid", HybridToJson(facts)}};
}

std::string Seconds(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 3600;
  constexpr double kDay = 86400;
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 2 * kMinute) return fmt::format("{:.1f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.1f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.1f} h", seconds / kHour);
  return fmt::format("{:.1f} days", seconds / kDay);
}

void PrintAge(const ModelRates& rates) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  fmt::print("speed measured {}{}\n", Age(rates.measured_at, now),
             rates.under_load ? ", under load: the machine may be faster, and is measured again "
                                "next time"
                              : "");
}

void PrintText(const Planned& planned) {
  const PlanFacts& facts = planned.facts;
  fmt::print(
      "{}, made for {}{}{}; kernels {}, {} threads, memory in {}\n"
      "{} document{}, {} characters; free memory {}, free disk {}\n\n",
      PrintableLine(planned.model.name()),
      facts.model.trained_tokens == kAnyLength
          ? "any length"
          : fmt::format("{} tokens", facts.model.trained_tokens),
      facts.model.lengthened_by.empty()
          ? ""
          : fmt::format(" (trained on {}, longer by {})", facts.model.native_tokens,
                        facts.model.lengthened_by),
      facts.longer ? fmt::format(", to be read beyond that by --longer {}", NameOf(*facts.longer))
                   : "",
      planned.model.compute().kernels.name, planned.model.compute().threads.threads(),
      NameOf(facts.kv), planned.documents, planned.documents == 1 ? "" : "s",
      planned.size.characters, facts.free_memory ? MiB(*facts.free_memory) : "unknown",
      facts.free_disk ? MiB(*facts.free_disk) : "unknown");
  if (IsHybrid(facts.model)) {
    const AttentionPart part = AttentionPartOf(facts, facts.model.trained_tokens);
    fmt::print(
        "{} of {} layers attend: keys and values of {} tokens take {}, where a pure "
        "transformer of this shape takes {}\n\n",
        facts.model.kv.layers, facts.model.layers, facts.model.trained_tokens, MiB(part.bytes),
        MiB(part.bytes_if_all));
  }
  constexpr const char* kRow = "{:<9} {:>10} {:>13} {:>13} {:>10} {:>13}  {}\n";
  fmt::print(kRow, "way", "tokens", "memory", "disk", "reading", "answer token", "fits");
  for (const PlannedWay& way : planned.plan.ways) {
    if (way.tokens == 0) {
      fmt::print(kRow, NameOf(way.way), "-", "-", "-", "-", "-", way.obstacle ? "no" : "yes");
      continue;
    }
    fmt::print(kRow, NameOf(way.way), fmt::format("{}{}", way.estimated ? "~" : "", way.tokens),
               MiB(way.memory_bytes), MiB(way.disk_bytes), Seconds(way.read_seconds.value()),
               Seconds(way.answer_seconds.value()), way.obstacle ? "no" : "yes");
  }
  fmt::print("\n");
  for (const PlannedWay& way : planned.plan.ways) {
    // The last line says why `auto` does not take this way.
    if (!way.obstacle || planned.plan.why.ends_with(way.obstacle->reason)) continue;
    fmt::print("{} does not fit, because {}\n", NameOf(way.way),
               Worded(way.obstacle->reason, way.obstacle->advice));
  }
  for (const PlannedWay& way : planned.plan.ways) {
    // Passages are never kept, and surveys keep notes instead, so that needs no line.
    if (way.obstacle || !way.not_kept || way.way == Way::kRetrieval || way.way == Way::kSurvey) {
      continue;
    }
    fmt::print("what {} reads will not be kept: {}\n", NameOf(way.way), Worded(*way.not_kept));
  }
  PrintAge(*facts.rates);
  fmt::print("auto takes {}: {}\n", NameOf(planned.plan.taken),
             Worded(planned.plan.why, planned.plan.advice));
}

void PrintPlan(const PlanOptions& options, const CommandContext& context) {
  const std::filesystem::path model_path = NeedModel(options.model);
  Library library = OpenUserLibrary(context);
  const std::vector<NamedDocument> documents =
      AddDocuments(library, options.files, options.reading, context);
  const auto model = OpenModel(model_path, options.reading.threads, ModelUse::kConversation);
  std::optional<SnapshotStore> store = OpenUserStore(options.keeping);
  ModelAnswerOptions answering = options.answering;
  answering.store = store ? &*store : nullptr;
  Measurements measurements = OpenUserMeasurements(context);
  Conversation conversation(library, {*model, measurements}, documents, answering);
  PlanFacts facts;
  {
    ProgressBar bar(model->name());
    facts =
        conversation.GatherPlanFacts(options.measure ? Measuring::kAnew : Measuring::kWhereNotKept,
                                     {.stop = context.stop, .progress = bar.Function()});
  }
  DocumentNames names(library, documents);
  const Plan plan = MakePlan(facts);
  const int64_t tokens = facts.prompt_tokens.value_or(facts.document_tokens);
  const std::optional<KvLoss> kv_loss = conversation.LossFor(tokens);
  const Planned planned{.model = *model,
                        .facts = facts,
                        .plan = plan,
                        .documents = documents.empty() ? library.List().size() : documents.size(),
                        .size = SizeOf(library, documents, names),
                        .kv_loss = kv_loss};
  if (const auto note = conversation.TypeNoteFor(tokens, kv_loss)) PrintNote(Worded(*note));
  if (options.json) return PrintJson(ToJson(planned));
  PrintText(planned);
}

}  // namespace

void AddPlanCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand(
      "plan", "Show what each way of asking about documents would take on this machine");
  command->add_option("files", options->files, "Documents; without any the whole library is meant")
      ->type_name("FILE…");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  AddPlanningOptions(*command, options->answering);
  AddReadingOptions(*command, options->reading);
  AddKeepingOptions(*command, options->keeping);
  command->add_flag("--measure", options->measure,
                    "Measure the model's speed anew, instead of using what was kept");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Seconds are estimates from a short measurement, which is kept. One that was\n"
      "taken while the machine had other things to do is repeated by itself, any other by "
      "--measure.\n"
      "Example:\n"
      "  tome plan novel.epub --model qwen3.gguf --kv q8");
  command->callback(
      [options, &context] { context.run = [options, &context] { PrintPlan(*options, context); }; });
}

}  // namespace tome
