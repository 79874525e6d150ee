#include "commands/text_tokens.h"

#include <cstdint>

#include "tome/base/file.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr uint64_t kMaxTextBytes = uint64_t{256} << 20;

}  // namespace

std::vector<TokenId> TokensOfFile(const LanguageModel& model, const std::string& path) {
  const std::string text = ReadAll(OpenForReading(path).get(), kMaxTextBytes, path);
  return model.EncodeText(NormalizeText(text), Specials::kLiteral);
}

}  // namespace tome
