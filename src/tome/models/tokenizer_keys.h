// Tokenizers from one container to the other.
#pragma once

#include <string>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/formats/gguf_writer.h"

namespace tome {

// GGUF key of a whole tokenizer.json, as the GGUF document defines it, and of what Tome keeps
// beside it.
inline constexpr std::string_view kTokenizerJsonKey = "tokenizer.huggingface.json";
inline constexpr std::string_view kTokenizerConfigKey = "tokenizer.huggingface.config_json";

// Sets the tokenizer's keys of a GGUF file from a safetensors checkpoint: tokenizer.json whole,
// which Tome reads, and for byte-level BPE with a known pre-tokenizer the vocabulary as
// tokenizer.ggml.*, which other programs read. The chat template goes along.
void SetTokenizerKeys(const Checkpoint& in, GgufPairs& pairs, std::vector<std::string>& notes);

struct TokenizerFiles {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
};
// The tokenizer's files of a GGUF checkpoint that holds them (made by SetTokenizerKeys); empty,
// with a note, where it does not.
TokenizerFiles TokenizerFilesOf(const Checkpoint& in, std::vector<std::string>& notes);

}  // namespace tome
