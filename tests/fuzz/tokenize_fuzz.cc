// Checks that any bytes come back from a byte-level vocabulary and from one with byte fallback,
// encoded whole or in pieces. A special token is read only where it may be.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/text/tiny_vocabulary.h"
#include "tome/base/error.h"
#include "tome/text/tokenizer.h"

namespace {

std::vector<std::unique_ptr<tome::Tokenizer>> MakeTokenizers() {
  std::vector<std::unique_ptr<tome::Tokenizer>> tokenizers;
  for (const char* pre : {"default", "gpt-2", "llama-bpe", "qwen2", "starcoder", "deepseek-llm",
                          "deepseek-coder", "deepseek-v3", "falcon", "qwen35"}) {
    tome::VocabularySpec spec =
        tome::TinyByteLevel({"a a", "aa aa", "Ġ a", "t h", "th e", "ä ¸", "Ġ Ġ", "ĠĠ ĠĠ"});
    spec.pre = pre;
    tokenizers.push_back(tome::Tokenizer::Create(spec));
  }
  tokenizers.push_back(tome::Tokenizer::Create(
      tome::TinySentencePiece({{"▁a", -1}, {"▁▁", -2}, {"aa", -2}, {"aaaa", -3}, {"中文", -4}})));
  return tokenizers;
}

// Replaces U+2581 by a space. SentencePiece writes a space as U+2581, so that a U+2581 of the text
// comes back as a space.
std::string WithSpaces(std::string_view text) {
  constexpr std::string_view kLowBlock = "\u2581";
  std::string out(text);
  for (size_t at = out.find(kLowBlock); at != std::string::npos; at = out.find(kLowBlock)) {
    out.replace(at, kLowBlock.size(), " ");
  }
  return out;
}

// Makes a byte-level vocabulary that lacks bytes and whose unknown token is a control token, as in
// SmolLM2's.
std::unique_ptr<tome::Tokenizer> MakeLackingBytes() {
  tome::VocabularySpec spec = tome::TinyByteLevel({"a a", "Ġ a", "t h"});
  spec.unknown = 1;
  for (const size_t byte : {size_t{'x'}, size_t{0x80}, size_t{0xF2}}) spec.tokens[3 + byte] = "";
  return tome::Tokenizer::Create(std::move(spec));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::unique_ptr<tome::Tokenizer>> tokenizers = MakeTokenizers();
  // Short texts reach every state of the splitters; long texts only take time.
  size = std::min<size_t>(size, 2048);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, size / 3);
  const std::string_view second = text.substr(first.size());
  for (const auto& tokenizer : tokenizers) {
    const auto ids = tokenizer->Encode(text, tome::Specials::kLiteral, {.add_special = false});
    const bool spaces = tokenizer == tokenizers.back();
    TOME_CHECK(tokenizer->Decode(ids) == (spaces ? WithSpaces(text) : std::string(text)));
    TOME_CHECK(std::none_of(ids.begin(), ids.end(),
                            [&](tome::TokenId id) { return tokenizer->IsSpecial(id); }));
    const std::vector<tome::TextPiece> pieces{{first, tome::Specials::kLiteral},
                                              {second, tome::Specials::kLiteral}};
    TOME_CHECK(tokenizer->Encode(pieces, {.add_special = false}) == ids);
    // The text of a special token comes back on request. SentencePiece puts a space after it.
    const auto parsed = tokenizer->Encode(text, tome::Specials::kParse, {.add_special = false});
    if (!spaces) {
      TOME_CHECK(tokenizer->Decode(parsed, {.keep_special = true}) == text);
    }
  }
  static const std::unique_ptr<tome::Tokenizer> lacking = MakeLackingBytes();
  for (const tome::TokenId id :
       lacking->Encode(text, tome::Specials::kLiteral, {.add_special = false})) {
    TOME_CHECK(!lacking->IsSpecial(id));
  }
  return 0;
}
