// The files that sentence-transformers puts beside an encoder's weights: how token rows become one
// vector, what is put before a text, and how long a text may be.
//
//   modules.json                       the steps: Transformer, Pooling, Dense…, Normalize
//   1_Pooling/config.json              pooling_mode_…_token(s), include_prompt
//   2_Dense/config.json                a linear map of the pooled row
//   config_sentence_transformers.json  prompts, default_prompt_name
//   sentence_bert_config.json          max_seq_length, do_lower_case
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/kernels/pooling.h"

namespace tome {

// Returns the bytes of a file by its name relative to the model's folder; empty where there is no
// such file.
using SideFileFn = std::function<std::string(const std::string& name)>;

// A linear map of the pooled row: y = f(W x + b).
struct DenseModule {
  std::string folder;  // where its config.json and its weights lie: "2_Dense"
  int64_t in = 0;
  int64_t out = 0;
  bool has_bias = true;
  bool tanh = false;  // f is tanh; else the identity
};

// What the files say. A value that no file gives is empty.
struct SentenceFiles {
  std::optional<Pooling> pooling;
  std::vector<DenseModule> dense;
  std::optional<std::string> query_prompt;
  std::optional<std::string> passage_prompt;
  std::optional<int64_t> max_tokens;
  bool lower_case = false;  // texts are read in lower case, whatever the tokenizer does
  // Prompts are not among the rows whose mean is taken (include_prompt is false).
  bool leaves_out_prompt = false;
};

// Reads the files. Throws Error(kCorrupt), with the file and the key, for JSON that is none, nested
// deeper than 32 levels or of the wrong types, and Error(kUnsupported) for modules and pooling that
// Tome does not compute.
SentenceFiles ReadSentenceFiles(const SideFileFn& file);

// A family of models whose files do not say what to put before a text.
struct PromptFamily {
  std::string_view name;  // "E5", "BGE v1.5, English"
  std::string_view query;
  std::string_view passage;
};
// Returns the family that a model's name tells ("bge-small-en-v1.5", "multilingual-e5-base"). Empty
// for other names.
std::optional<PromptFamily> PromptFamilyOf(std::string_view model_name);

}  // namespace tome
