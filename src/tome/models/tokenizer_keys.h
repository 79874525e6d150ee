// These functions carry a tokenizer from one container to the other.
#pragma once

#include <string>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/formats/gguf_writer.h"

namespace tome {

// kTokenizerJsonKey is the GGUF key of a whole tokenizer.json, as the GGUF document defines it.
// kTokenizerConfigKey is Tome's own key of tokenizer_config.json.
inline constexpr std::string_view kTokenizerJsonKey = "tokenizer.huggingface.json";
inline constexpr std::string_view kTokenizerConfigKey = "tokenizer.huggingface.config_json";

// Sets the tokenizer's keys of a GGUF file from a safetensors checkpoint: tokenizer.json whole,
// which Tome reads, and for byte-level BPE with a known pre-tokenizer the vocabulary as
// tokenizer.ggml.*, which other programs read. The chat template is set as well. A note says what
// is missing.
void SetTokenizerKeys(const Checkpoint& in, GgufPairs& pairs, std::vector<std::string>& notes);

struct TokenizerFiles {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
};
// Returns the tokenizer's files that a GGUF checkpoint holds (SetTokenizerKeys put them there).
// Where it does not hold them, both are empty and a note is added.
TokenizerFiles TokenizerFilesOf(const Checkpoint& in, std::vector<std::string>& notes);

}  // namespace tome
