#include "tome/embed/sentence_files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using nlohmann::json;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxModules = 16;
constexpr size_t kMaxPromptBytes = 4096;
constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxTokens = int64_t{1} << 24;

// A JSON value of a file, with typed access. Errors name the file and the key.
class Field {
 public:
  Field(std::string file, json value) : file_(std::move(file)), value_(std::move(value)) {}

  const json& value() const { return value_; }
  bool is_absent() const { return value_.is_null(); }

  [[noreturn]] void Fail(std::string_view key, std::string_view wanted) const {
    throw Error(Code::kCorrupt, fmt::format("{}: {} is not {}", file_, key, wanted));
  }
  const json* Find(const char* key) const {
    if (!value_.is_object()) return nullptr;
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  std::optional<std::string> String(const char* key) const {
    const json* const found = Find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) Fail(key, "a string");
    return found->get<std::string>();
  }
  bool Bool(const char* key, bool standard) const {
    const json* const found = Find(key);
    if (found == nullptr) return standard;
    if (!found->is_boolean()) Fail(key, "true or false");
    return found->get<bool>();
  }
  std::optional<int64_t> Size(const char* key, int64_t most) const {
    const json* const found = Find(key);
    if (found == nullptr) return std::nullopt;
    const bool whole = found->is_number_unsigned() && found->get<uint64_t>() <= uint64_t{INT64_MAX};
    if (!whole || found->get<int64_t>() < 1 || found->get<int64_t>() > most) {
      Fail(key, fmt::format("a whole number from 1 to {}", most));
    }
    return found->get<int64_t>();
  }

 private:
  std::string file_;
  json value_;
};

// Returns the file as JSON; null where there is no such file.
Field Parse(const SideFileFn& file, const std::string& name) {
  const std::string text = file(name);
  if (text.empty()) return {name, nullptr};
  if (text.size() > kMaxBytes) {
    throw Error(Code::kCorrupt, fmt::format("{}: larger than {} bytes", name, kMaxBytes));
  }
  const auto limit_depth = [&](int depth, json::parse_event_t event, json&) {
    const bool begins =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (begins && depth >= kMaxDepth) {
      throw Error(Code::kCorrupt, fmt::format("{}: nested too deeply", name));
    }
    return true;
  };
  try {
    return {name, json::parse(text, limit_depth)};
  } catch (const json::exception& exception) {
    throw Error(Code::kCorrupt, fmt::format("{}: {}", name, exception.what()));
  }
}

// Returns a module's folder. A name from a file must not lead out of the model's folder.
std::string FolderOf(const Field& module) {
  std::string path = module.String("path").value_or("");
  const bool simple = path.find_first_of("/\\") == std::string::npos && !path.starts_with('.');
  if (!simple || path.find('\0') != std::string::npos) module.Fail("path", "a folder's name");
  return path;
}

std::string InFolder(const std::string& folder) {
  return folder.empty() ? "config.json" : folder + "/config.json";
}

void ReadPooling(const SideFileFn& file, const std::string& folder, SentenceFiles& out) {
  const std::string name = InFolder(folder);
  const Field config = Parse(file, name);
  if (config.is_absent()) return;
  if (!config.value().is_object()) config.Fail("the whole", "an object");
  struct Mode {
    const char* key;
    const char* word;
    std::optional<Pooling> pooling;
  };
  constexpr std::array kModes{
      Mode{"pooling_mode_cls_token", "cls", Pooling::kFirst},
      Mode{"pooling_mode_mean_tokens", "mean", Pooling::kMean},
      Mode{"pooling_mode_lasttoken", "lasttoken", Pooling::kLast},
      Mode{"pooling_mode_max_tokens", "max", std::nullopt},
      Mode{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", std::nullopt},
      Mode{"pooling_mode_weightedmean_tokens", "weightedmean", std::nullopt}};
  const std::optional<std::string> word = config.String("pooling_mode");
  std::vector<Mode> chosen;
  for (const Mode& mode : kModes) {
    if (word ? *word == mode.word : config.Bool(mode.key, false)) chosen.push_back(mode);
  }
  if (word && chosen.empty()) {
    throw Error(Code::kUnsupported, fmt::format("{}: pooling_mode \"{}\" is not known; known are "
                                                "cls, mean and lasttoken",
                                                name, *word));
  }
  if (chosen.size() > 1 || (chosen.size() == 1 && !chosen[0].pooling)) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} {}; only one of the first token, the mean and the last token "
                            "is pooled",
                            name, chosen.back().key,
                            chosen.size() > 1 ? "is one of several modes" : "is not computed"));
  }
  if (!chosen.empty()) out.pooling = chosen[0].pooling;
  out.leaves_out_prompt = !config.Bool("include_prompt", true);
}

void ReadDense(const SideFileFn& file, const std::string& folder, SentenceFiles& out) {
  const std::string name = InFolder(folder);
  const Field config = Parse(file, name);
  const auto in = config.Size("in_features", kMaxWidth);
  const auto width = config.Size("out_features", kMaxWidth);
  if (folder.empty() || !in || !width) {
    throw Error(Code::kCorrupt, fmt::format("{}: in_features and out_features are missing", name));
  }
  const std::string function =
      config.String("activation_function").value_or("torch.nn.modules.activation.Tanh");
  const bool tanh = function.ends_with(".Tanh");
  if (!tanh && !function.ends_with(".Identity")) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: activation_function \"{}\" is not known; known are Tanh and "
                            "Identity",
                            name, function));
  }
  out.dense.push_back({.folder = folder,
                       .in = *in,
                       .out = *width,
                       .has_bias = config.Bool("bias", true),
                       .tanh = tanh});
}

void ReadModules(const SideFileFn& file, SentenceFiles& out) {
  const Field modules = Parse(file, "modules.json");
  if (modules.is_absent()) return ReadPooling(file, "1_Pooling", out);
  if (!modules.value().is_array() || modules.value().size() > kMaxModules) {
    modules.Fail("the whole", fmt::format("a list of at most {} modules", kMaxModules));
  }
  for (const json& item : modules.value()) {
    const Field module("modules.json", item);
    const std::string type = module.String("type").value_or("");
    // The package's path has changed over time; the class keeps its name.
    const std::string name = type.substr(type.rfind('.') + 1);
    if (name == "Transformer") {
      if (!FolderOf(module).empty()) {
        throw Error(Code::kUnsupported,
                    "modules.json: the Transformer lies in a folder of its own; take its files out "
                    "of it");
      }
    } else if (name == "Pooling") {
      ReadPooling(file, FolderOf(module), out);
    } else if (name == "Dense") {
      ReadDense(file, FolderOf(module), out);
    } else if (name != "Normalize") {
      throw Error(Code::kUnsupported,
                  fmt::format("modules.json: the module \"{}\" is not known; known are "
                              "Transformer, Pooling, Dense and Normalize",
                              type));
    }
  }
}

// Returns the first of `names` that `prompts` has.
std::optional<std::string> PromptOf(const Field& prompts,
                                    std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    if (auto prompt = prompts.String(name)) return prompt;
  }
  return std::nullopt;
}

void ReadPrompts(const SideFileFn& file, SentenceFiles& out) {
  constexpr const char* kName = "config_sentence_transformers.json";
  const Field config = Parse(file, kName);
  const json* const found = config.Find("prompts");
  if (found == nullptr) return;
  if (!found->is_object()) config.Fail("prompts", "an object");
  const Field prompts(fmt::format("{}: prompts", kName), *found);
  std::optional<std::string> standard;
  if (const auto name = config.String("default_prompt_name")) {
    standard = prompts.String(name->c_str());
  }
  out.query_prompt = PromptOf(prompts, {"query", "s2p_query"});
  out.passage_prompt = PromptOf(prompts, {"passage", "document", "corpus"});
  if (!out.query_prompt) out.query_prompt = standard;
  if (!out.passage_prompt) out.passage_prompt = standard;
  for (auto* const prompt : {&out.query_prompt, &out.passage_prompt}) {
    if (*prompt && (*prompt)->size() > kMaxPromptBytes) {
      prompts.Fail("a prompt", fmt::format("of at most {} bytes", kMaxPromptBytes));
    }
  }
  // sentence-transformers writes two empty prompts into files whose authors gave none.
  if (out.query_prompt.value_or("").empty() && out.passage_prompt.value_or("").empty()) {
    out.query_prompt.reset();
    out.passage_prompt.reset();
  }
}

}  // namespace

SentenceFiles ReadSentenceFiles(const SideFileFn& file) {
  SentenceFiles out;
  ReadModules(file, out);
  ReadPrompts(file, out);
  const Field config = Parse(file, "sentence_bert_config.json");
  out.max_tokens = config.Size("max_seq_length", kMaxTokens);
  out.lower_case = config.Bool("do_lower_case", false);
  return out;
}

std::optional<PromptFamily> PromptFamilyOf(std::string_view model_name) {
  const std::string name = LowerAscii(model_name);
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  // The instructions stand in the models' cards (BAAI/bge-*, intfloat/e5-*).
  if (has("bge-") && has("-en") && !has("reranker")) {
    return PromptFamily{.name = "BGE, English",
                        .query = "Represent this sentence for searching relevant passages: ",
                        .passage = ""};
  }
  if (has("bge-") && has("-zh") && !has("reranker")) {
    return PromptFamily{
        .name = "BGE, Chinese", .query = "为这个句子生成表示以用于检索相关文章：", .passage = ""};
  }
  const size_t e5 = name.find("e5-");
  const bool is_e5 = e5 != std::string::npos &&
                     (e5 == 0 || name[e5 - 1] == '-' || name[e5 - 1] == '_' || name[e5 - 1] == '/');
  // The instructed ones take a task in words, which no file names.
  if (is_e5 && !has("instruct")) {
    return PromptFamily{.name = "E5", .query = "query: ", .passage = "passage: "};
  }
  return std::nullopt;
}

}  // namespace tome
