#include "tome/text/tokenizer/named_pre_tokenizers.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

using F = PreTokenizerFamily;

constexpr NamedPreTokenizer::Info kLlama3{
    .family = F::kLlama3, .ignore_merges = true, .add_bos = true};

constexpr std::array<NamedPreTokenizer, 56> kNames{{
    {"default", {.family = F::kDefault}},
    {"gpt-2", {.family = F::kGpt2}},
    {"phi-2", {.family = F::kGpt2}},
    {"mpt", {.family = F::kGpt2}},
    {"olmo", {.family = F::kGpt2}},
    {"jais", {.family = F::kGpt2}},
    {"trillion", {.family = F::kGpt2}},
    {"granite-docling", {.family = F::kGpt2}},
    {"gigachat", {.family = F::kGpt2}},
    {"exaone4", {.family = F::kGpt2}},
    {"mellum", {.family = F::kGpt2}},
    {"a.x-4.0", {.family = F::kGpt2}},
    {"modern-bert", {.family = F::kGpt2}},
    {"roberta-bpe", {.family = F::kGpt2}},
    {"jina-es", {.family = F::kGpt2}},
    {"jina-de", {.family = F::kGpt2}},
    {"jina-v1-en", {.family = F::kGpt2}},
    {"jina-v2-es", {.family = F::kGpt2}},
    {"jina-v2-de", {.family = F::kGpt2}},
    {"jina-v2-code", {.family = F::kGpt2}},
    {"llama3", kLlama3},
    {"llama-v3", kLlama3},
    {"llama-bpe", kLlama3},
    {"falcon3", kLlama3},
    {"falcon-h1", kLlama3},
    {"pixtral", kLlama3},
    {"midm-2.0", kLlama3},
    {"lfm2", kLlama3},
    {"jina-v5-nano", kLlama3},
    {"dbrx", {.family = F::kLlama3}},
    {"smaug-bpe", {.family = F::kLlama3}},
    {"glm4", {.family = F::kLlama3}},
    {"chatglm-bpe", {.family = F::kLlama3}},
    {"qwen2", {.family = F::kQwen2}},
    {"stablelm2", {.family = F::kQwen2}},
    {"megrez", {.family = F::kQwen2}},
    {"deepseek-r1-qwen", {.family = F::kQwen2}},
    {"hunyuan", {.family = F::kQwen2}},
    {"grok-2", {.family = F::kQwen2}},
    {"solar-open", {.family = F::kQwen2}},
    {"qwen35", {.family = F::kQwen35}},
    {"starcoder", {.family = F::kStarCoder}},
    {"refact", {.family = F::kStarCoder}},
    {"command-r", {.family = F::kStarCoder}},
    {"smollm", {.family = F::kStarCoder}},
    {"codeshell", {.family = F::kStarCoder}},
    {"exaone", {.family = F::kStarCoder}},
    {"minerva-7b", {.family = F::kStarCoder}},
    {"deepseek-llm", {.family = F::kDeepSeekLlm}},
    {"deepseek-coder", {.family = F::kDeepSeekCoder}},
    {"deepseek-v3", {.family = F::kDeepSeek3}},
    {"hunyuan-dense", {.family = F::kDeepSeek3}},
    {"falcon", {.family = F::kFalcon}},
    {"gpt-4o", {.family = F::kGpt4o}},
    {"llama4", {.family = F::kGpt4o}},
    {"tekken", {.family = F::kTekken, .ignore_merges = true, .add_bos = true}},
}};

// The letters of DeepSeek-LLM's tokenizer.json: cased letters, without those of some scripts.
constexpr std::string_view kDeepSeekLetters =
    "[A-Za-z\\u00B5\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u01BA\\u01BC-\\u01BF"
    "\\u01C4-\\u0293\\u0295-\\u02AF\\u0370-\\u0373\\u0376\\u0377\\u037B-\\u037D\\u037F\\u0386"
    "\\u0388-\\u038A\\u038C\\u038E-\\u03A1\\u03A3-\\u03F5\\u03F7-\\u0481\\u048A-\\u052F"
    "\\u0531-\\u0556\\u10A0-\\u10C5\\u13A0-\\u13F5\\u13F8-\\u13FD\\u1C90-\\u1CBA"
    "\\u1CBD-\\u1CBF\\u1D00-\\u1D2B\\u1D6B-\\u1D77\\u1D79-\\u1D9A\\u1E00-\\u1F15"
    "\\u1F18-\\u1F1D\\u1F20-\\u1F45\\u1F48-\\u1F4D\\u1F50-\\u1F57\\u1F59\\u1F5B\\u1F5D"
    "\\u1F5F-\\u1F7D\\u1F80-\\u1FB4\\u1FB6-\\u1FBC\\u1FBE\\u1FC2-\\u1FC4\\u1FC6-\\u1FCC"
    "\\u1FD0-\\u1FD3\\u1FD6-\\u1FDB\\u1FE0-\\u1FEC\\u1FF2-\\u1FF4\\u1FF6-\\u1FFC\\u2102"
    "\\u2107\\u210A-\\u2113\\u2115\\u2119-\\u211D\\u2124\\u2126\\u2128\\u212A-\\u212D"
    "\\u212F-\\u2134\\u2139\\u213C-\\u213F\\u2145-\\u2149\\u214E\\u2183\\u2184\\u2C00-\\u2C7B"
    "\\u2C7E-\\u2CE4\\u2CEB-\\u2CEE\\u2CF2\\u2CF3\\uA640-\\uA66D\\uA680-\\uA69B"
    "\\uA722-\\uA76F\\uA771-\\uA787\\uA78B-\\uA78E\\uAB70-\\uABBF\\uFB00-\\uFB06"
    "\\uFB13-\\uFB17\\uFF21-\\uFF3A\\uFF41-\\uFF5A\\U00010400-\\U0001044F"
    "\\U000104B0-\\U000104D3\\U000104D8-\\U000104FB\\U00010C80-\\U00010CB2"
    "\\U00010CC0-\\U00010CF2\\U000118A0-\\U000118DF\\U0001E900-\\U0001E943]";
// The characters that DeepSeek-LLM's tokenizer.json calls Chinese, Hangul included.
constexpr std::string_view kDeepSeekIdeographs = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]";

constexpr std::string_view kGpt4oPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::unique_ptr<PreTokenizerStep> Run(std::string_view set, uint32_t least = 1,
                                      uint32_t most = UINT32_MAX) {
  return RunStep({.set = CodePointSet(set), .least = least, .most = most});
}

// Makes runs that take a white space before them along.
std::unique_ptr<PreTokenizerStep> RunWithSpace(std::string_view set) {
  return RunStep({.set = CodePointSet(set), .optional_space = true});
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
      add(Run("[0-9]", 3, 3));
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
      add(Run("[\\p{N}]", 1, 1));
      add(PatternStep(WordPattern::kGpt2));
      break;
    case F::kDeepSeekLlm:
      add(Run("[\\r\\n]", 1, 1));
      add(RunWithSpace(kDeepSeekLetters));
      add(RunWithSpace("[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]"));
      add(TrailingSpaceStep());
      add(Run(kDeepSeekIdeographs));
      add(Run("[\\p{N}]"));
      break;
    case F::kDeepSeekCoder:
      add(Run("[\\r\\n]", 1, 1));
      add(RunWithSpace("[\\p{L}]"));
      add(RunWithSpace("[\\p{P}]"));
      add(Run(kDeepSeekIdeographs));
      add(Run("[\\p{N}]", 1, 1));
      break;
    case F::kDeepSeek3:
      add(Run("[\\p{N}]", 1, 3));
      add(Run("[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]"));
      add(PatternStep(WordPattern::kDeepSeek3));
      break;
    case F::kFalcon:
      add(Run("[\\p{P}\\$+<=>\\^~|`]"));
      add(PatternStep(WordPattern::kGpt2));
      add(Run("[0-9]", 3, 3));
      break;
    case F::kGpt4o:
      add(RegexStep(kGpt4oPattern, SplitBehavior::kIsolated, SplitMatch::kPattern,
                    "tokenizer.ggml.pre"));
      break;
    case F::kTekken:
      add(RegexStep(kTekkenPattern, SplitBehavior::kIsolated, SplitMatch::kPattern,
                    "tokenizer.ggml.pre"));
      break;
  }
  return steps;
}

}  // namespace tome
