// Text to token ids and back, for the vocabularies of language and embedding models.
//
// Four kinds of model: byte-level BPE (GPT-2, Llama 3, Qwen, DeepSeek …), SentencePiece BPE (Llama
// 2, Mistral), SentencePiece Unigram (T5, XLM-R) and WordPiece (BERT). A tokenizer is built either
// from the metadata of a GGUF file (VocabularySpec) or from a tokenizer.json of the Hugging Face
// `tokenizers` library. docs/tokenizers.md lists what is supported and where results differ from
// the references.
//
// Text is UTF-8 of less than 2 GiB. Ill-formed bytes are allowed: a byte-level vocabulary and one
// with byte fallback give them back unchanged in Decode, unless a normalizer of the vocabulary
// looks at the text (it reads each ill-formed sequence as U+FFFD); others read them as unknown.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {

// Whether the text of a special token (a control token such as "<|im_end|>") is read as that token.
// Text from outside (documents, questions) is kLiteral, so that it cannot end a turn of a chat.
// User-defined pieces that are no special tokens are recognized in both.
enum class Specials { kParse, kLiteral };

// A part of a text. The view must live as long as the call it is passed to.
struct TextPiece {
  std::string_view text;
  Specials specials = Specials::kLiteral;
};

struct EncodeOptions {
  // Put the beginning-of-text, end-of-text, CLS and SEP tokens around the text as the vocabulary
  // says. A beginning-of-text token that the text itself begins with (Specials::kParse) is not
  // doubled.
  bool add_special = true;
};

struct DecodeOptions {
  bool keep_special = false;  // write special tokens as their piece instead of leaving them out
};

// The limits of a vocabulary; a file that exceeds one is refused with Error(kUnsupported).
inline constexpr size_t kMaxVocabularySize = size_t{1} << 22;
inline constexpr size_t kMaxPieceBytes = size_t{1} << 16;
inline constexpr size_t kMaxMerges = size_t{1} << 23;
// Longest text in bytes of one Encode.
inline constexpr size_t kMaxEncodeBytes = (size_t{1} << 31) - 1;

namespace internal {
struct TokenizerParts;
}  // namespace internal

// Immutable: any number of threads may call the const functions of one tokenizer at once.
class Tokenizer {
 public:
  // Throws Error that names the field: kCorrupt where it contradicts itself or another field,
  // kUnsupported for a model or pre-tokenizer that Tome does not know and for exceeded limits.
  static std::unique_ptr<Tokenizer> Create(VocabularySpec spec);

  // From the bytes of tokenizer.json and of tokenizer_config.json (may be empty; it says which
  // tokens are BOS and EOS). Errors as above, with the path of the field
  // ("normalizer.normalizers[1].type").
  static std::unique_ptr<Tokenizer> FromTokenizerJson(std::string_view tokenizer_json,
                                                      std::string_view tokenizer_config_json);

  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer();

  // The ids of the pieces' texts put together. A special token is recognized only where all of it
  // lies in neighbouring kParse pieces; everything else is one text, so that a word may reach
  // across the border of two pieces. Throws Error(kInvalidArgument) above kMaxEncodeBytes. Linear
  // in the text's length, but for a factor log(word) for long words.
  std::vector<TokenId> Encode(std::span<const TextPiece> pieces,
                              const EncodeOptions& options) const;
  std::vector<TokenId> Encode(std::string_view text, Specials specials,
                              const EncodeOptions& options) const;

  // The text of `ids`; bytes that are not well-formed UTF-8 stay as they are. Ids outside the
  // vocabulary (rows that pad a model's embedding) add nothing.
  std::string Decode(std::span<const TokenId> ids, const DecodeOptions& options = {}) const;

  // The piece as the vocabulary writes it ("Ġthe", "▁the", "##ing", "<0x0A>"); empty for an id
  // outside.
  std::string_view Piece(TokenId id) const;
  // The bytes that the token adds to a text when it is not the first (" the", "ing", "\n"); a
  // special token gives its piece, an id outside nothing.
  std::string TokenBytes(TokenId id) const;
  // The id of a piece as the vocabulary writes it.
  std::optional<TokenId> Find(std::string_view piece) const;

  int64_t vocabulary_size() const;
  bool IsSpecial(TokenId id) const;

  std::optional<TokenId> bos() const;
  std::optional<TokenId> eos() const;
  std::optional<TokenId> eot() const;  // end of turn
  std::optional<TokenId> unknown() const;
  std::optional<TokenId> padding() const;
  std::optional<TokenId> separator() const;
  std::optional<TokenId> cls() const;
  std::optional<TokenId> mask() const;

  // Whether Encode puts BOS (CLS) before, EOS (SEP) behind a text when add_special is set.
  bool adds_bos() const;
  bool adds_eos() const;

  // Every token that ends a generation, ascending: eos, eot, eom and the names that models use for
  // them ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>" …), as far as the
  // vocabulary has them.
  std::span<const TokenId> end_of_generation() const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::unique_ptr<const internal::TokenizerParts> parts);

  std::unique_ptr<const internal::TokenizerParts> parts_;
};

// Ids to text, one by one, as a generation goes on. Everything that Push and Flush gave, put
// together, is Decode of all ids with each ill-formed sequence replaced by U+FFFD; what Push gave
// is always whole characters. The tokenizer must outlive the decoder. One thread at a time.
class StreamDecoder {
 public:
  // How the stream begins: kText drops the leading space of SentencePiece as Decode does; kInside
  // keeps it, for a stream that goes on behind other text.
  enum class Start { kText, kInside };

  explicit StreamDecoder(const Tokenizer& tokenizer, Start start = Start::kText,
                         DecodeOptions options = {});
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;
  ~StreamDecoder();

  // The text that `id` completes: often a word, empty while a character is incomplete.
  std::string Push(TokenId id);
  // The end of the stream: what was held back, an incomplete character as U+FFFD.
  std::string Flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tome
