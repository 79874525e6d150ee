// Reads the components of tokenizer.json that work on text: normalizer, pre_tokenizer, decoder.
//
// Each function takes the component's object and adds its steps. It throws Error(kUnsupported) with
// the path of the field for a component of an unknown type.
#pragma once

#include <vector>

#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/normalizer.h"
#include "tome/text/tokenizer/pre_tokenizer.h"
#include "tome/text/tokenizer/token_bytes.h"

namespace tome {

void AddNormalizer(const JsonField& field, Normalizer& normalizer);

// Sets `byte_level` to true at a ByteLevel component, after which words are bytes. That component
// has to be the last.
void AddPreTokenizer(const JsonField& field, PreTokenizer& pre_tokenizer, bool& byte_level);

void AddDecoder(const JsonField& field, std::vector<DecoderStep>& steps);

}  // namespace tome
