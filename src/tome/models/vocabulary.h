// The tokenizer of a model on disk.
//
// GGUF keeps the vocabulary in its metadata, under "tokenizer.ggml."; a Hugging Face folder has the
// files tokenizer.json and tokenizer_config.json beside the weights.
#pragma once

#include <memory>

#include "tome/formats/metadata.h"
#include "tome/text/vocabulary_spec.h"

namespace tome {

// What GGUF's metadata says about the vocabulary. Throws Error(kNotFound) for metadata without one,
// Error(kCorrupt) that names the key for a value of the wrong kind or range.
VocabularySpec VocabularyFromMetadata(const Metadata& metadata);

}  // namespace tome
