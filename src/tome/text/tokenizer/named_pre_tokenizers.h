// The pre-tokenizers that GGUF files name in tokenizer.ggml.pre, as llama.cpp defines them.
#pragma once

#include <string>
#include <string_view>

#include "tome/text/tokenizer/pre_tokenizer.h"

namespace tome {

enum class PreTokenizerFamily {
  kDefault,
  kGpt2,
  kLlama3,
  kQwen2,
  kQwen35,
  kStarCoder,
  kDeepSeekLlm,
  kDeepSeekCoder,
  kDeepSeek3,
  kFalcon,
  kGpt4o,
  kTekken,
};

struct NamedPreTokenizer {
  std::string_view name;
  struct Info {
    PreTokenizerFamily family = PreTokenizerFamily::kDefault;
    bool ignore_merges = false;
    bool add_bos = false;  // the default where the file does not say
  } info;
};

// Finds a pre-tokenizer by name. Throws Error(kUnsupported) for an unknown name.
NamedPreTokenizer MakeNamedPreTokenizer(std::string_view name);

PreTokenizer MakeSteps(const NamedPreTokenizer& pre);

}  // namespace tome
