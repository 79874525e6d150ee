#include "tome/models/tokenizer_keys.h"

#include <nlohmann/json.hpp>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "tome/models/template_of.h"
#include "tome/models/tokenizer_of.h"

namespace tome {
namespace {

using nlohmann::json;

// Each entry is a part of a pre-tokenizer's pattern that tells it from the others, and its name in
// GGUF. The first entry that occurs decides.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPatterns{{
    {"\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*", "llama-bpe"},
    {"|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*", "qwen2"},
    {"\\s?[A-Za-z", "deepseek-llm"},
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+", "gpt-2"},
}};

std::optional<std::string_view> PreTokenizerName(const json& tokenizer) {
  const auto pre = tokenizer.find("pre_tokenizer");
  if (pre == tokenizer.end()) return std::nullopt;
  std::string patterns;
  bool byte_level_pattern = false;
  std::vector<const json*> open{&*pre};
  while (!open.empty()) {
    const json& part = *open.back();
    open.pop_back();
    if (part.is_object()) {
      if (part.value("type", "") == "ByteLevel" && part.value("use_regex", true)) {
        byte_level_pattern = true;
      }
      if (const auto regex = part.find("Regex"); regex != part.end() && regex->is_string()) {
        patterns += regex->get<std::string>();
      }
    }
    if (part.is_structured()) {
      for (const json& child : part) open.push_back(&child);
    }
  }
  for (const auto& [pattern, name] : kPatterns) {
    if (patterns.find(pattern) != std::string::npos) return name;
  }
  return byte_level_pattern && patterns.empty() ? std::optional<std::string_view>("gpt-2")
                                                : std::nullopt;
}

// Returns the merges of a BPE model as "left right", whichever way the file writes them. Empty
// where a piece holds a space, which that form cannot express.
std::optional<std::vector<std::string>> MergesOf(const json& model) {
  std::vector<std::string> merges;
  for (const json& merge : model.at("merges")) {
    if (merge.is_string()) {
      merges.push_back(merge.get<std::string>());
      continue;
    }
    const auto left = merge.at(0).get<std::string>();
    const auto right = merge.at(1).get<std::string>();
    if ((left + right).find(' ') != std::string::npos) return std::nullopt;
    merges.push_back(left + " " + right);
  }
  return merges;
}

bool SetByteLevelBpe(const json& tokenizer, const Tokenizer& built, GgufPairs& pairs) {
  const auto model = tokenizer.find("model");
  if (model == tokenizer.end() || model->value("type", "BPE") != "BPE" ||
      model->value("byte_fallback", false)) {
    return false;
  }
  const auto pre = PreTokenizerName(tokenizer);
  const auto merges = MergesOf(*model);
  if (!pre || !merges) return false;
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  for (TokenId id = 0; id < built.vocabulary_size(); ++id) {
    tokens.emplace_back(built.Piece(id));
    types.push_back(
        static_cast<int32_t>(built.IsSpecial(id) ? TokenType::kControl : TokenType::kNormal));
  }
  for (const json& added : tokenizer.value("added_tokens", json::array())) {
    const auto id = added.value("id", int64_t{-1});
    if (id >= 0 && id < built.vocabulary_size() && !added.value("special", false)) {
      types[static_cast<size_t>(id)] = static_cast<int32_t>(TokenType::kUserDefined);
    }
  }
  pairs.SetString("tokenizer.ggml.model", "gpt2");
  pairs.SetString("tokenizer.ggml.pre", *pre);
  pairs.SetStrings("tokenizer.ggml.tokens", tokens);
  pairs.SetInt32s("tokenizer.ggml.token_type", types);
  pairs.SetStrings("tokenizer.ggml.merges", *merges);
  const auto set_id = [&](const char* key, std::optional<TokenId> id) {
    if (id) pairs.SetUint32(key, static_cast<uint32_t>(*id));
  };
  set_id("tokenizer.ggml.bos_token_id", built.bos());
  set_id("tokenizer.ggml.eos_token_id", built.eos());
  set_id("tokenizer.ggml.padding_token_id", built.padding());
  pairs.SetBool("tokenizer.ggml.add_bos_token", built.adds_bos());
  return true;
}

}  // namespace

void SetTokenizerKeys(const Checkpoint& in, GgufPairs& pairs, std::vector<std::string>& notes) {
  const std::string tokenizer_json = in.SideFile("tokenizer.json");
  if (tokenizer_json.empty()) {
    notes.emplace_back(
        "there is no tokenizer.json beside the weights, so the file has no tokenizer");
    return;
  }
  // Building the tokenizer checks the file, its nesting included.
  const auto built = TokenizerOf(in);
  pairs.SetString(kTokenizerJsonKey, tokenizer_json);
  if (const std::string config = in.SideFile("tokenizer_config.json"); !config.empty()) {
    pairs.SetString(kTokenizerConfigKey, config);
  }
  if (!SetByteLevelBpe(json::parse(tokenizer_json), *built, pairs)) {
    notes.emplace_back(
        "the tokenizer has no form that other programs read from GGUF; Tome reads its "
        "tokenizer.json, which is in the file");
  }
  if (const std::string source = ChatTemplateSource(in); !source.empty()) {
    pairs.SetString("tokenizer.chat_template", source);
  }
}

TokenizerFiles TokenizerFilesOf(const Checkpoint& in, std::vector<std::string>& notes) {
  const auto tokenizer = in.metadata().String(kTokenizerJsonKey);
  if (!tokenizer) {
    notes.emplace_back(
        "the GGUF file does not hold tokenizer.json; put the one of the model's repository beside "
        "the weights");
    return {};
  }
  return {
      .tokenizer_json = std::string(*tokenizer),
      .tokenizer_config_json = std::string(in.metadata().String(kTokenizerConfigKey).value_or(""))};
}

}  // namespace tome
