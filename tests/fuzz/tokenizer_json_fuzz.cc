// Parses any bytes as tokenizer.json. They give an Error, or a tokenizer that encodes and decodes.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tome/base/error.h"
#include "tome/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kText =
      "It's 12 caf\u00E9s,  a\n\n\u4E2D\u6587 <s> e\u0301 ab abc\t\U0001F600 \xFF x";
  try {
    const auto tokenizer =
        tome::Tokenizer::FromTokenizerJson({reinterpret_cast<const char*>(data), size}, "");
    for (const tome::Specials specials : {tome::Specials::kParse, tome::Specials::kLiteral}) {
      const std::vector<tome::TokenId> ids = tokenizer->Encode(kText, specials, {});
      for (const tome::TokenId id : ids) {
        TOME_CHECK(id >= 0 && id < tokenizer->vocabulary_size());
      }
      tome::StreamDecoder stream(*tokenizer);
      for (const tome::TokenId id : ids) stream.Push(id);
      stream.Flush();
      tokenizer->Decode(ids);
    }
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
  }
  return 0;
}
