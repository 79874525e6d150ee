// VocabularyFromMetadata reads the vocabulary that GGUF keeps in its metadata, under
// "tokenizer.ggml.". A Hugging Face folder has the files tokenizer.json and tokenizer_config.json
// beside the weights instead; tokenizer_of.h reads either.
#pragma once

#include <memory>

#include "tome/formats/metadata.h"
#include "tome/text/vocabulary_spec.h"

namespace tome {

// Returns the vocabulary as GGUF's metadata describes it. Throws Error(kNotFound) for metadata
// without a vocabulary, and Error(kCorrupt) with the key for a value of the wrong kind or range.
VocabularySpec VocabularyFromMetadata(const Metadata& metadata);

}  // namespace tome
