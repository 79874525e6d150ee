// Turns text into token ids and back, for the vocabularies of language and embedding models.
//
// There are four kinds of model: byte-level BPE (GPT-2, Llama 3, Qwen, DeepSeek …), SentencePiece
// BPE (Llama 2, Mistral), SentencePiece Unigram (T5, XLM-R) and WordPiece (BERT). A tokenizer is
// built from the metadata of a GGUF file (VocabularySpec) or from a tokenizer.json of the Hugging
// Face `tokenizers` library. docs/tokenizers.md lists what is supported and where results differ
// from the references.
//
// Text is UTF-8 of less than 2 GiB. Ill-formed bytes are allowed. A byte-level vocabulary and one
// with byte fallback give them back unchanged in Decode, unless a normalizer of the vocabulary
// looks at the text: it reads each ill-formed sequence as U+FFFD. Other vocabularies read them as
// unknown.
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

// Says whether the text of a special token (a control token such as "<|im_end|>") is read as that
// token. Text from outside (documents, questions) is kLiteral, so that it cannot end a turn of a
// chat. User-defined pieces that are no special tokens are recognized in both.
enum class Specials { kParse, kLiteral };

// A part of a text. The view must live as long as the call that it is passed to.
struct TextPiece {
  std::string_view text;
  Specials specials = Specials::kLiteral;
};

struct EncodeOptions {
  // Puts the beginning-of-text, end-of-text, CLS and SEP tokens around the text as the vocabulary
  // says. A beginning-of-text token that the text itself begins with (Specials::kParse) is not
  // doubled.
  bool add_special = true;
};

struct DecodeOptions {
  bool keep_special = false;  // write special tokens as their pieces; else leave them out
};

// The limits of a vocabulary; a file that exceeds one is refused with Error(kUnsupported).
inline constexpr size_t kMaxVocabularySize = size_t{1} << 22;
inline constexpr size_t kMaxPieceBytes = size_t{1} << 16;
inline constexpr size_t kMaxMerges = size_t{1} << 23;
// Longest text of one Encode, in bytes.
inline constexpr size_t kMaxEncodeBytes = (size_t{1} << 31) - 1;

namespace internal {
struct TokenizerParts;
}  // namespace internal

// A tokenizer is immutable: any number of threads may call its const functions at once.
class Tokenizer {
 public:
  // Builds a tokenizer from a GGUF vocabulary. Throws an Error that names the field: kCorrupt where
  // a field contradicts itself or another field, kUnsupported for a model or pre-tokenizer that
  // Tome does not know and for exceeded limits.
  static std::unique_ptr<Tokenizer> Create(VocabularySpec spec);

  // Builds a tokenizer from the bytes of tokenizer.json and of tokenizer_config.json (may be empty;
  // it says which tokens are BOS and EOS). Throws the errors of Create, with the path of the field
  // ("normalizer.normalizers[1].type").
  static std::unique_ptr<Tokenizer> FromTokenizerJson(std::string_view tokenizer_json,
                                                      std::string_view tokenizer_config_json);

  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer();

  // Returns the ids of the pieces' texts put together. A special token is recognized only where all
  // of it lies in neighbouring kParse pieces. The rest is one text, so that a word may reach across
  // the border of two pieces. Throws Error(kInvalidArgument) above kMaxEncodeBytes. The time is
  // linear in the text's length, times log(word length) for long words.
  std::vector<TokenId> Encode(std::span<const TextPiece> pieces,
                              const EncodeOptions& options) const;
  std::vector<TokenId> Encode(std::string_view text, Specials specials,
                              const EncodeOptions& options) const;

  // Returns the text of `ids`; bytes that are not well-formed UTF-8 stay as they are. Ids outside
  // the vocabulary (rows that pad a model's embedding) add nothing.
  std::string Decode(std::span<const TokenId> ids, const DecodeOptions& options = {}) const;

  // Returns the piece as the vocabulary writes it ("Ġthe", "▁the", "##ing", "<0x0A>"). Empty for an
  // id outside the vocabulary.
  std::string_view Piece(TokenId id) const;
  // Returns the bytes that the token adds to a text when it is not the first (" the", "ing", "\n"):
  // the piece of a special token, no bytes for an id outside the vocabulary.
  std::string TokenBytes(TokenId id) const;
  // Returns the id of a piece as the vocabulary writes it. Empty for an unknown piece.
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

  // Says whether Encode, with add_special set, puts BOS (CLS) before or EOS (SEP) after a text.
  bool adds_bos() const;
  bool adds_eos() const;

  // Returns every token that ends a generation, ascending: eos, eot, eom and the names that models
  // use for them ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>" …), as
  // far as the vocabulary has them.
  std::span<const TokenId> end_of_generation() const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::unique_ptr<const internal::TokenizerParts> parts);

  std::unique_ptr<const internal::TokenizerParts> parts_;
};

// Turns ids into text one by one, as a generation goes on. The results of Push and Flush together
// are Decode of all ids with each ill-formed sequence replaced by U+FFFD. Push always returns whole
// characters. The tokenizer must outlive the decoder, which serves one thread at a time.
class StreamDecoder {
 public:
  // Says how the stream begins. kText drops the leading space of SentencePiece as Decode does;
  // kInside keeps it, for a stream that continues other text.
  enum class Start { kText, kInside };

  explicit StreamDecoder(const Tokenizer& tokenizer, Start start = Start::kText,
                         DecodeOptions options = {});
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;
  ~StreamDecoder();

  // Returns the text that `id` completes: often a word; empty while a character is incomplete.
  std::string Push(TokenId id);
  // Ends the stream. Returns U+FFFD where an incomplete character was held back, else an empty
  // text.
  std::string Flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tome
