#include "tome/text/tokenizer/named_pre_tokenizers.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

using F = PreTokenizerFamily;

constexpr std::array<NamedPreTokenizer, 56> kNames{{
    {"default", {F::kDefault, false, false}},
    {"gpt-2", {F::kGpt2, false, false}},
    {"phi-2", {F::kGpt2, false, false}},
    {"mpt", {F::kGpt2, false, false}},
    {"olmo", {F::kGpt2, false, false}},
    {"jais", {F::kGpt2, false, false}},
    {"trillion", {F::kGpt2, false, false}},
    {"granite-docling", {F::kGpt2, false, false}},
    {"gigachat", {F::kGpt2, false, false}},
    {"exaone4", {F::kGpt2, false, false}},
    {"mellum", {F::kGpt2, false, false}},
    {"a.x-4.0", {F::kGpt2, false, false}},
    {"modern-bert", {F::kGpt2, false, false}},
    {"roberta-bpe", {F::kGpt2, false, false}},
    {"jina-es", {F::kGpt2, false, false}},
    {"jina-de", {F::kGpt2, false, false}},
    {"jina-v1-en", {F::kGpt2, false, false}},
    {"jina-v2-es", {F::kGpt2, false, false}},
    {"jina-v2-de", {F::kGpt2, false, false}},
    {"jina-v2-code", {F::kGpt2, false, false}},
    {"llama3", {F::kLlama3, true, true}},
    {"llama-v3", {F::kLlama3, true, true}},
    {"llama-bpe", {F::kLlama3, true, true}},
    {"falcon3", {F::kLlama3, true, true}},
    {"falcon-h1", {F::kLlama3, true, true}},
    {"pixtral", {F::kLlama3, true, true}},
    {"midm-2.0", {F::kLlama3, true, true}},
    {"lfm2", {F::kLlama3, true, true}},
    {"jina-v5-nano", {F::kLlama3, true, true}},
    {"dbrx", {F::kLlama3, false, false}},
    {"smaug-bpe", {F::kLlama3, false, false}},
    {"glm4", {F::kLlama3, false, false}},
    {"chatglm-bpe", {F::kLlama3, false, false}},
    {"qwen2", {F::kQwen2, false, false}},
    {"stablelm2", {F::kQwen2, false, false}},
    {"megrez", {F::kQwen2, false, false}},
    {"deepseek-r1-qwen", {F::kQwen2, false, false}},
    {"hunyuan", {F::kQwen2, false, false}},
    {"grok-2", {F::kQwen2, false, false}},
    {"solar-open", {F::kQwen2, false, false}},
    {"qwen35", {F::kQwen35, false, false}},
    {"starcoder", {F::kStarCoder, false, false}},
    {"refact", {F::kStarCoder, false, false}},
    {"command-r", {F::kStarCoder, false, false}},
    {"smollm", {F::kStarCoder, false, false}},
    {"codeshell", {F::kStarCoder, false, false}},
    {"exaone", {F::kStarCoder, false, false}},
    {"minerva-7b", {F::kStarCoder, false, false}},
    {"deepseek-llm", {F::kDeepSeekLlm, false, false}},
    {"deepseek-coder", {F::kDeepSeekCoder, false, false}},
    {"deepseek-v3", {F::kDeepSeek3, false, false}},
    {"hunyuan-dense", {F::kDeepSeek3, false, false}},
    {"falcon", {F::kFalcon, false, false}},
    {"gpt-4o", {F::kGpt4o, false, false}},
    {"llama4", {F::kGpt4o, false, false}},
    {"tekken", {F::kTekken, true, true}},
}};

// The letters of DeepSeek-LLM's tokenizer.json: cased ones, without those of some scripts.
constexpr std::string_view kDeepSeekLetters =
    "[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-"
    "ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼ\\u1FBEῂ-ῄῆ-ῌῐ-\\u1FD3ῖ-\\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\\u2126ℨ\\u212A-"
    "ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]";
// The characters that it calls Chinese; Hangul among them.
constexpr std::string_view kDeepSeekIdeographs = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]";

constexpr std::string_view kGpt4oPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::unique_ptr<PreTokenizerStep> Run(std::string_view set, bool optional_space = false,
                                      uint32_t least = 1, uint32_t most = UINT32_MAX) {
  return RunStep({CodePointSet(set), optional_space, least, most});
}

}  // namespace

NamedPreTokenizer MakeNamedPreTokenizer(std::string_view name) {
  for (const NamedPreTokenizer& known : kNames) {
    if (known.name == name) return known;
  }
  std::string names;
  for (const NamedPreTokenizer& known : kNames) {
    if (!names.empty()) names += ", ";
    names += known.name;
  }
  throw Error(Code::kUnsupported,
              fmt::format("tokenizer.ggml.pre: \"{}\" is not known; known are {}", name, names));
}

PreTokenizer MakeSteps(const NamedPreTokenizer& pre) {
  PreTokenizer steps;
  const auto add = [&](std::unique_ptr<PreTokenizerStep> step) {
    steps.push_back(std::move(step));
  };
  switch (pre.info.family) {
    case F::kDefault:
      add(Run("[\\p{P}\\$+<=>\\^~|]"));
      add(PatternStep(WordPattern::kGpt2));
      add(Run("[\\p{N}]"));
      add(Run("[0-9]", false, 3, 3));
      break;
    case F::kGpt2:
      add(PatternStep(WordPattern::kGpt2));
      break;
    case F::kLlama3:
      add(PatternStep(WordPattern::kLlama3));
      break;
    case F::kQwen2:
      add(PatternStep(WordPattern::kQwen2));
      break;
    case F::kQwen35:
      add(PatternStep(WordPattern::kQwen35));
      break;
    case F::kStarCoder:
      add(Run("[\\p{N}]", false, 1, 1));
      add(PatternStep(WordPattern::kGpt2));
      break;
    case F::kDeepSeekLlm:
      add(Run("[\\r\\n]", false, 1, 1));
      add(Run(kDeepSeekLetters, true));
      add(Run("[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]", true));
      add(TrailingSpaceStep());
      add(Run(kDeepSeekIdeographs));
      add(Run("[\\p{N}]"));
      break;
    case F::kDeepSeekCoder:
      add(Run("[\\r\\n]", false, 1, 1));
      add(Run("[\\p{L}]", true));
      add(Run("[\\p{P}]", true));
      add(Run(kDeepSeekIdeographs));
      add(Run("[\\p{N}]", false, 1, 1));
      break;
    case F::kDeepSeek3:
      add(Run("[\\p{N}]", false, 1, 3));
      add(Run("[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]"));
      add(PatternStep(WordPattern::kDeepSeek3));
      break;
    case F::kFalcon:
      add(Run("[\\p{P}\\$+<=>\\^~|`]"));
      add(PatternStep(WordPattern::kGpt2));
      add(Run("[0-9]", false, 3, 3));
      break;
    case F::kGpt4o:
      add(RegexStep(kGpt4oPattern, SplitBehavior::kIsolated, false, "tokenizer.ggml.pre"));
      break;
    case F::kTekken:
      add(RegexStep(kTekkenPattern, SplitBehavior::kIsolated, false, "tokenizer.ggml.pre"));
      break;
  }
  return steps;
}

}  // namespace tome
