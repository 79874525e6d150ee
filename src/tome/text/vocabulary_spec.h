// What the metadata of a model file says about its vocabulary: the input of Tokenizer::Create.
//
// The fields are those of GGUF ("tokenizer.ggml.*", named in the comments), all of them as the file
// has them. What a file leaves out stays empty here; the default that then holds stands beside the
// field and is the one of the reference implementation, llama.cpp. Nothing in this struct is
// checked; Tokenizer::Create does that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

using TokenId = int32_t;

// tokenizer.ggml.token_type
enum class TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,      // stands for text that no piece covers
  kControl = 3,      // a special token: read from text only where the caller allows it
  kUserDefined = 4,  // read from any text before it is split into words
  kUnused = 5,       // never given by the tokenizer
  kByte = 6,         // "<0x41>": one byte
};

// The pre-tokenizer of a byte-level BPE that names none, as in llama.cpp.
inline constexpr std::string_view kAssumedPreTokenizer = "default";

struct VocabularySpec {
  // .model: "gpt2" (byte-level BPE), "llama" (SentencePiece BPE), "t5" (SentencePiece Unigram),
  // "bert" (WordPiece). Required.
  std::string model;
  // .pre: the pre-tokenizer of a byte-level BPE. Empty is kAssumedPreTokenizer.
  std::string pre;

  // .tokens: the pieces, by id. Required. In a "gpt2" vocabulary they are in the alphabet that has
  // a printable character for each byte, control and user-defined ones are plain text.
  std::vector<std::string> tokens;
  // .scores: a score a piece; required for "llama" and "t5", ignored otherwise.
  std::vector<float> scores;
  // .token_type: a TokenType a piece; empty: all are kNormal.
  std::vector<int32_t> token_types;
  // .merges: "left right", the first of highest priority; required for "gpt2".
  std::vector<std::string> merges;

  // .bos_token_id and so on. Defaults: "llama" bos 1, eos 2, unknown 0; "t5" eos 1, unknown 2,
  // padding 0; "bert" bos (also called cls) 101, unknown 100, separator 102, padding 0, mask 103,
  // each only where the vocabulary is large enough; "gpt2" none.
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> eot;        // end of turn
  std::optional<TokenId> eom;        // end of message
  std::optional<TokenId> unknown;    // .unknown_token_id
  std::optional<TokenId> separator;  // .seperator_token_id
  std::optional<TokenId> padding;    // .padding_token_id
  std::optional<TokenId> cls;        // .cls_token_id; "bert" uses it for bos where that is missing
  std::optional<TokenId> mask;

  // .add_bos_token, .add_eos_token: what EncodeOptions::add_special puts around a text. Defaults:
  // "llama" bos; "t5" eos; "bert" bos and separator; "gpt2" bos for the pre-tokenizers of Llama 3,
  // nothing for others.
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
  std::optional<bool> add_sep;  // .add_sep_token; "bert" true, others false
  // .add_space_prefix: a space before the text and after each special token. "llama" true, others
  // false.
  std::optional<bool> add_space_prefix;
  // .remove_extra_whitespaces: "t5" only, false.
  std::optional<bool> remove_extra_whitespaces;
  // .precompiled_charsmap: SentencePiece's compiled normalization, "t5" only; empty: none.
  std::string precompiled_charsmap;
};

}  // namespace tome
