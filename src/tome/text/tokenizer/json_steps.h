// The components of tokenizer.json that work on text: normalizer, pre_tokenizer, decoder.
//
// Each function takes the component's object and adds its steps. A component of an unknown type is
// an Error(kUnsupported) with the path of the field.
#pragma once

#include <vector>

#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/normalizer.h"
#include "tome/text/tokenizer/pre_tokenizer.h"
#include "tome/text/tokenizer/token_bytes.h"

namespace tome {

void AddNormalizer(const JsonField& field, Normalizer& normalizer);

// `byte_level` becomes true where words are bytes from here on: a ByteLevel component, which has to
// be the last.
void AddPreTokenizer(const JsonField& field, PreTokenizer& pre_tokenizer, bool& byte_level);

void AddDecoder(const JsonField& field, std::vector<DecoderStep>& steps);

}  // namespace tome
