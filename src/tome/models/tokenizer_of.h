// TokenizerOf makes the tokenizer of a checkpoint, whichever container it is in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Returns the tokenizer: of GGUF from the metadata, of safetensors from tokenizer.json and
// tokenizer_config.json beside the weights. Throws Error(kNotFound) for a checkpoint without a
// tokenizer. Errors name the file.
std::unique_ptr<Tokenizer> TokenizerOf(const Checkpoint& checkpoint);

// Returns a sentence for everything that was assumed to make the tokenizer. GGUF files of
// byte-level vocabularies made by old converters do not say which pre-tokenizer they need.
std::vector<std::string> TokenizerNotes(const Checkpoint& checkpoint);

}  // namespace tome
