#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "advice.h"
#include "commands/command.h"
#include "commands/json_output.h"
#include "commands/keeping.h"
#include "commands/length_output.h"
#include "commands/model_options.h"
#include "commands/print_answer.h"
#include "commands/reading.h"
#include "commands/sparse_output.h"
#include "terminal.h"
#include "tome/answer/answer_json.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/generate/session.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr uint64_t kMaxPromptBytes = uint64_t{256} << 20;

struct GenerateCommand {
  std::optional<std::string> prompt;
  ModelOptions model;
  std::optional<KvType> kv;
  std::optional<double> attention_mass;
  std::optional<int64_t> resident_bytes;
  std::filesystem::path spill_folder;
  std::optional<ContextExtension> longer;
  int64_t window = 0;
  int64_t sinks = 0;
  GenerateOptions generate;
  int threads = 0;
  bool chat = false;
  bool no_speculation = false;
  KeepingOptions keeping;
  bool json = false;
};

std::string_view NameOf(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEnd:
      return "end";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kMaxTokens:
      return "max_tokens";
    case FinishReason::kContext:
      return "context";
    case FinishReason::kComplete:
      return "complete";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "";
}

// Makes a memory for a prompt and the text after it. Without --longer or --window, both together
// are no longer than the model was made for.
Memory NewMemory(const GenerateCommand& options, const Model& model, int64_t prompt_tokens) {
  const int64_t needed = prompt_tokens + options.generate.max_tokens;
  const int64_t made_for = model.facts().trained_tokens;
  const bool beyond = options.longer || options.window > 0;
  if (!beyond && prompt_tokens > made_for) {
    throw Error(Code::kInvalidArgument,
                fmt::format("the prompt is {} tokens and the model was made for {}; --longer dca "
                            "and --longer yarn read it whole, at a loss; --window N sees the end "
                            "of it only; --longer none does nothing about the length",
                            prompt_tokens, made_for));
  }
  if (!beyond && needed > made_for) {
    PrintNote(
        fmt::format("prompt and answer may take {} tokens; the model was made for {}, and "
                    "the text ends there (--longer and --window go on)",
                    needed, made_for));
  }
  return model.NewMemory({.kv = KvTypeFor(model.facts(), options.kv, prompt_tokens),
                          .max_tokens = options.window > 0 ? 0
                                        : beyond           ? std::max(needed, made_for)
                                                           : made_for,
                          .attention_mass = options.attention_mass,
                          .resident_bytes = options.resident_bytes,
                          .spill_folder = options.spill_folder,
                          .longer = options.longer,
                          .window = options.window,
                          .sinks = options.sinks});
}

void Generate(GenerateCommand& options, const CommandContext& context) {
  const std::filesystem::path model_path = NeedModel(options.model);  // before the prompt is read
  const std::string prompt =
      options.prompt ? *options.prompt : ReadAll(STDIN_FILENO, kMaxPromptBytes, "standard input");
  const auto model = OpenModel(model_path, options.threads,
                               options.chat ? ModelUse::kConversation : ModelUse::kText);
  const std::vector<ChatMessage> messages{{.role = "user", .content = prompt}};
  const std::vector<TokenId> tokens =
      options.chat ? model->EncodeChat(messages) : model->EncodeText(prompt, Specials::kParse);
  if (tokens.empty()) throw Error(Code::kInvalidArgument, "the prompt is empty");
  const KvType kv =
      KvTypeFor(model->model().facts(), options.kv, static_cast<int64_t>(tokens.size()));
  std::optional<KvLoss> kv_loss;
  if (kv == KvType::kQ8 || kv == KvType::kQ4) {
    Measurements measurements = OpenUserMeasurements(context);
    kv_loss = KnownKvLoss(measurements, *model, kv);
  }
  if (const auto note = NoteOfType(options.kv, kv, kv_loss)) PrintNote(Worded(*note));
  Session session(model->model(), model->tokenizer(), model->compute(),
                  NewMemory(options, model->model(), static_cast<int64_t>(tokens.size())));
  std::optional<SnapshotStore> store;
  if (static_cast<int64_t>(tokens.size()) > kWorthKeeping) store = OpenUserStore(options.keeping);
  if (store) {
    session.UseStore(*store, {.root = model->MemoryRoot(session.memory()),
                              .model = NormalizeText(model->name()),
                              .title = "(generate)"});
  }
  {
    ProgressBar bar(model->name());
    session.Prefill(tokens, {.stop = context.stop, .progress = bar.Function()});
  }
  options.generate.stop = context.stop;
  if (options.no_speculation) options.generate.speculation = Speculation::kNone;
  const Generated generated =
      session.Generate(options.generate, options.json ? TextSink() : PrintingSink());
  const TextLength length = LengthOf(model->model().facts(), session.memory());
  if (!options.json) {
    fmt::print("\n");
    std::fflush(stdout);  // before the notes
    if (session.memory().sparse()) PrintNote(NoteOf(session.memory().sparse()->use));
    if (const auto note = NoteOf(length)) PrintNote(Worded(*note));
    if (generated.finish == FinishReason::kContext) {
      PrintNote("the text ended where the model's context did (--longer and --window go on)");
    }
  } else {
    PrintJson({{"text", generated.text},
               {"tokens", generated.tokens},
               {"finish", NameOf(generated.finish)},
               {"prompt_tokens", tokens.size()},
               {"restored_tokens", session.restored()},
               {"forward_passes", generated.forward_passes},
               {"drafted_tokens", generated.drafted_tokens},
               {"accepted_tokens", generated.accepted_tokens},
               {"seconds", generated.seconds},
               {"attention",
                ToJson(session.memory().sparse() ? std::optional(session.memory().sparse()->use)
                                                 : std::nullopt)},
               {"kv_loss", ToJson(kv_loss)},
               {"length", ToJson(length)}});
  }
  if (store) PrintStoreNotes(*store);
  if (generated.finish == FinishReason::kCancelled) throw Error(Code::kCancelled, "interrupted");
}

}  // namespace

void AddGenerateCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<GenerateCommand>();
  CLI::App* command = app.add_subcommand("generate", "Continue a text with a model");
  AddModelOption(*command, options->model, WithoutModel::kDefault);
  command->add_option("--prompt", options->prompt, "The text (default: standard input)")
      ->type_name("TEXT");
  command->add_flag("--chat", options->chat, "Put the text into the model's chat template");
  command->add_option("--max-tokens", options->generate.max_tokens, "New tokens at most")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--stop", options->generate.stops, "End before this text; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  AddSamplingOptions(*command, options->generate.sampling);
  AddKvOption(*command, options->kv);
  AddKeepingOptions(*command, options->keeping);
  AddAttentionOption(*command, options->attention_mass);
  AddMemoryOption(*command, options->resident_bytes, options->spill_folder);
  AddLongerOption(*command, options->longer);
  AddStreamingOptions(*command, options->window, options->sinks);
  command->add_flag("--no-speculation", options->no_speculation,
                    "Compute token by token, without drafts from the text so far");
  AddThreadsOption(*command, options->threads);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer(
      "Without --chat special tokens in the text are read as such.\n"
      "Examples:\n"
      "  tome generate --model qwen3.gguf --chat --prompt \"Name three rivers.\"\n"
      "  tome generate --model base.gguf --max-tokens 50 < beginning.txt");
  command->callback(
      [options, &context] { context.run = [options, &context] { Generate(*options, context); }; });
}

}  // namespace tome
