// A model file's metadata about its vocabulary: the input of Tokenizer::Create.
//
// The fields are those of GGUF ("tokenizer.ggml.*", named in the comments), unchanged. A field that
// the file lacks stays empty here. The comment beside a field gives its default, which is that of
// the reference implementation, llama.cpp. Nothing in this struct is checked; Tokenizer::Create
// does that.
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
  kUnused = 5,       // never produced by the tokenizer
  kByte = 6,         // "<0x41>": one byte
};

// The pre-tokenizer that llama.cpp takes for a byte-level BPE that names none.
inline constexpr std::string_view kAssumedPreTokenizer = "default";

struct VocabularySpec {
  // .model: "gpt2" (byte-level BPE), "llama" (SentencePiece BPE), "t5" (SentencePiece Unigram) or
  // "bert" (WordPiece). Required.
  std::string model;
  // .pre: the pre-tokenizer of a byte-level BPE. Where it is empty, kAssumedPreTokenizer holds.
  std::string pre;

  // .tokens: the pieces, by id. Required. In a "gpt2" vocabulary, control and user-defined pieces
  // are plain text; all others are written in the alphabet of tokenizer/byte_alphabet.h, which has
  // a printable character for each byte.
  std::vector<std::string> tokens;
  // .scores: one score for each piece. Required for "llama" and "t5", ignored otherwise.
  std::vector<float> scores;
  // .token_type: one TokenType for each piece. Where it is empty, all pieces are kNormal.
  std::vector<int32_t> token_types;
  // .merges: "left right", highest priority first. Required for "gpt2".
  std::vector<std::string> merges;

  // .bos_token_id and so on. The defaults hold only where the vocabulary is large enough:
  //   "llama"  bos 1, eos 2, unknown 0
  //   "t5"     eos 1, unknown 2, padding 0
  //   "bert"   bos (also called cls) 101, unknown 100, separator 102, padding 0, mask 103
  //   "gpt2"   none
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> eot;        // end of turn
  std::optional<TokenId> eom;        // end of message
  std::optional<TokenId> unknown;    // .unknown_token_id
  std::optional<TokenId> separator;  // .seperator_token_id
  std::optional<TokenId> padding;    // .padding_token_id
  std::optional<TokenId> cls;        // .cls_token_id; "bert" uses it for bos where that is missing
  std::optional<TokenId> mask;

  // .add_bos_token, .add_eos_token: whether EncodeOptions::add_special puts them around a text.
  // Defaults: "llama" adds bos, "t5" eos, "bert" bos and separator; "gpt2" adds bos for the
  // pre-tokenizers of Llama 3 and Tekken only.
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
  std::optional<bool> add_sep;  // .add_sep_token; default: "bert" true, others false
  // .add_space_prefix: whether a space is put before the text and after each special token.
  // Default: "llama" true, others false.
  std::optional<bool> add_space_prefix;
  // .remove_extra_whitespaces: for "t5" only. Default: false.
  std::optional<bool> remove_extra_whitespaces;
  // .precompiled_charsmap: SentencePiece's compiled normalization, for "t5" only. Empty: none.
  std::string precompiled_charsmap;
};

}  // namespace tome
