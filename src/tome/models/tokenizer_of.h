// The tokenizer of a checkpoint, whichever container it is in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/text/tokenizer.h"

namespace tome {

// GGUF: from its metadata. Safetensors: from tokenizer.json and tokenizer_config.json beside the
// weights. Error(kNotFound) for a checkpoint without one; errors name the file.
std::unique_ptr<Tokenizer> TokenizerOf(const Checkpoint& checkpoint);

// What had to be assumed to make it, a sentence each: GGUF files of byte-level vocabularies made by
// old converters do not say which pre-tokenizer they need.
std::vector<std::string> TokenizerNotes(const Checkpoint& checkpoint);

}  // namespace tome
