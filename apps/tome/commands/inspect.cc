#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <string>

#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/model_options.h"
#include "terminal.h"
#include "tome/base/mebibytes.h"
#include "tome/embed/embedding_model.h"
#include "tome/models/registry.h"

namespace tome {
namespace {

using nlohmann::ordered_json;

struct InspectOptions {
  std::string model;
  bool tensors = false;
  bool json = false;
};

struct TypeTotal {
  int64_t tensors = 0;
  int64_t elements = 0;
  int64_t bytes = 0;
};

ordered_json TensorsToJson(const Checkpoint& checkpoint) {
  ordered_json tensors = ordered_json::array();
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    const auto dims = tensor.shape.dims();
    tensors.push_back({{"name", name},
                       {"type", NameOf(tensor.dtype)},
                       {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                       {"bytes", tensor.bytes()}});
  }
  return tensors;
}

// Adds the fields of a model that writes.
void AddModelFacts(const std::shared_ptr<const Checkpoint>& checkpoint, ordered_json& out) {
  // `generic`, the last kernel set, takes weights as they are stored, so that none is packed.
  ThreadPool threads(1);
  const auto model = LoadModel(checkpoint, {*AvailableKernelSets().back(), threads});
  const ModelFacts& facts = model->facts();
  ordered_json kv_bytes = ordered_json::object();
  for (const KvType type : kKvTypes) {
    const int64_t page = MemoryBytes(facts, type, kKvPageTokens) - RecurrentBytes(facts.recurrent);
    kv_bytes[std::string(NameOf(type))] = page / kKvPageTokens;
  }
  out["architecture"] = facts.architecture;
  out["layers"] = facts.layers;
  out["vocabulary"] = facts.vocabulary;
  out["context_tokens"] =
      facts.trained_tokens == kAnyLength ? ordered_json() : ordered_json(facts.trained_tokens);
  out["segment_tokens"] = facts.segment_tokens;
  out["kv_bytes_per_token"] = kv_bytes;
  out["state_bytes"] = RecurrentBytes(facts.recurrent);
}

// Adds the fields of an embedding model.
void AddEmbeddingFacts(const Checkpoint& checkpoint, ordered_json& out) {
  const auto model = EmbeddingModel::Open(checkpoint.path(), {.threads = 1});
  for (const std::string& note : model->notes()) PrintNote(note);
  const EmbeddingFacts& facts = model->facts();
  out["architecture"] = facts.encoder.architecture;
  out["layers"] = facts.encoder.layers;
  out["vocabulary"] = facts.encoder.vocabulary;
  out["context_tokens"] = facts.max_tokens;
  out["embedding"] = {{"width", facts.width},
                      {"pooling", NameOf(facts.pooling)},
                      {"query_prefix", facts.query_prefix},
                      {"passage_prefix", facts.passage_prefix},
                      {"prefix_source", facts.prefix_source}};
}

// Returns the object that `tome inspect --json` prints; the text form prints the same.
ordered_json Inspect(const std::shared_ptr<const Checkpoint>& checkpoint) {
  std::map<std::string_view, TypeTotal> types;
  TypeTotal all;
  for (const auto& [name, tensor] : checkpoint->tensors()) {
    for (TypeTotal* total : {&types[NameOf(tensor.dtype)], &all}) {
      ++total->tensors;
      total->elements += tensor.shape.elements();
      total->bytes += tensor.bytes();
    }
  }
  ordered_json by_type = ordered_json::object();
  for (const auto& [type, total] : types) {
    by_type[std::string(type)] = {
        {"tensors", total.tensors}, {"parameters", total.elements}, {"bytes", total.bytes}};
  }
  ordered_json out{
      {"architecture", nullptr},  // set below
      {"container", checkpoint->container() == Container::kGguf ? "gguf" : "safetensors"},
      {"parameters", all.elements},
      {"tensors", all.tensors},
      {"bytes", all.bytes},
      {"types", by_type}};
  if (IsEncoder(*checkpoint)) {
    AddEmbeddingFacts(*checkpoint, out);
  } else {
    AddModelFacts(checkpoint, out);
  }
  return out;
}

void PrintEmbeddingFacts(const ordered_json& embedding) {
  fmt::print("embedding      {} values, pooled from {}\n", embedding.at("width").get<int64_t>(),
             embedding.at("pooling").get<std::string>() == "mean"
                 ? "the mean of all tokens"
                 : fmt::format("the {} token", embedding.at("pooling").get<std::string>()));
  const auto source = embedding.at("prefix_source").get<std::string>();
  if (source.empty()) return;
  fmt::print("prefixes       of queries \"{}\", of passages \"{}\" ({})\n",
             PrintableLine(embedding.at("query_prefix").get<std::string>()),
             PrintableLine(embedding.at("passage_prefix").get<std::string>()),
             PrintableLine(source));
}

void PrintMemoryFacts(const ordered_json& facts) {
  const auto number = [&](const char* key) { return facts.at(key).get<int64_t>(); };
  const auto& kv = facts.at("kv_bytes_per_token");
  if (kv.at("f16").get<int64_t>() > 0) {
    const int64_t segment = number("segment_tokens");
    fmt::print(
        "memory         {} bytes a token in f16, {} in q8, {} in q4; {} in f16 for {}\n",
        kv.at("f16").get<int64_t>(), kv.at("q8").get<int64_t>(), kv.at("q4").get<int64_t>(),
        MiB(kv.at("f16").get<int64_t>() * (segment > 0 ? segment : number("context_tokens"))),
        segment > 0 ? fmt::format("a segment of {} tokens, the most that is kept", segment)
                    : "the whole context");
  }
  if (number("state_bytes") > 0) {
    fmt::print("state          {}, however many tokens are read\n", MiB(number("state_bytes")));
  }
}

void PrintInspection(const InspectOptions& options) {
  const auto checkpoint =
      std::make_shared<const Checkpoint>(Checkpoint::Open(ModelNamed(options.model)));
  ordered_json facts = Inspect(checkpoint);
  if (options.json) {
    if (options.tensors) facts["tensor_list"] = TensorsToJson(*checkpoint);
    PrintJson(facts);
    return;
  }
  const auto number = [&](const char* key) { return facts.at(key).get<int64_t>(); };
  fmt::print("architecture   {} ({})\n", facts.at("architecture").get<std::string>(),
             facts.at("container").get<std::string>());
  fmt::print("parameters     {} in {} tensors, {}\n", number("parameters"), number("tensors"),
             MiB(number("bytes")));
  for (const auto& [type, total] : facts.at("types").items()) {
    fmt::print("  {:<6} {:>5} tensors, {}\n", type, total.at("tensors").get<int64_t>(),
               MiB(total.at("bytes").get<int64_t>()));
  }
  const bool any_length = facts.at("context_tokens").is_null();
  fmt::print("layers         {}\nvocabulary     {}\ncontext        {}\n", number("layers"),
             number("vocabulary"),
             any_length ? "any length" : fmt::format("{} tokens", number("context_tokens")));
  if (facts.contains("embedding")) {
    PrintEmbeddingFacts(facts.at("embedding"));
  } else {
    PrintMemoryFacts(facts);
  }
  if (!options.tensors) return;
  for (const auto& [name, tensor] : checkpoint->tensors()) {
    fmt::print("{:<6} {:<20} {}\n", NameOf(tensor.dtype), ToString(tensor.shape),
               PrintableLine(name));
  }
}

}  // namespace

void AddInspectCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model is and what it needs");
  command
      ->add_option("model", options->model,
                   "A .gguf file, a folder of safetensors, or an added model")
      ->required()
      ->type_name("MODEL");
  command->add_flag("--tensors", options->tensors, "List the tensors");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Every tensor's shape is checked against the model's settings.\n"
      "Example:\n"
      "  tome inspect qwen3.gguf");
  command->callback(
      [options, &context] { context.run = [options] { PrintInspection(*options); }; });
}

}  // namespace tome
