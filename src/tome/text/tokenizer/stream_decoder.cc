#include <utility>

#include "tome/text/tokenizer.h"
#include "tome/text/tokenizer/char_classes.h"
#include "tome/text/tokenizer/tokenizer_parts.h"

namespace tome {
namespace {

// Returns how many bytes the character that begins with `first` has; 1 where no character does.
size_t ExpectedBytes(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 1;
}

// Returns true where `byte` can be byte number `at` (1 to 3) of a character that begins with
// `first`.
bool CanFollow(unsigned char first, size_t at, unsigned char byte) {
  if (at == 1 && first == 0xE0) return byte >= 0xA0 && byte <= 0xBF;
  if (at == 1 && first == 0xED) return byte >= 0x80 && byte <= 0x9F;
  if (at == 1 && first == 0xF0) return byte >= 0x90 && byte <= 0xBF;
  if (at == 1 && first == 0xF4) return byte >= 0x80 && byte <= 0x8F;
  return byte >= 0x80 && byte <= 0xBF;
}

}  // namespace

class StreamDecoder::Impl {
 public:
  Impl(const Tokenizer& tokenizer, Start start, DecodeOptions options)
      : tokenizer_(tokenizer), options_(options), leading_(tokenizer.parts_->bytes) {
    if (start == Start::kInside) leading_.Stop();
  }

  std::string Push(TokenId id) {
    if (!options_.keep_special && tokenizer_.IsSpecial(id)) return {};
    pending_ += leading_.Strip(tokenizer_.parts_->bytes.Of(id));
    return Take(Incomplete::kWaits);
  }
  std::string Flush() { return Take(Incomplete::kReplaced); }

 private:
  // Says what becomes of a last character that lacks bytes: it waits for them, or it is ill-formed.
  enum class Incomplete { kWaits, kReplaced };

  // Takes the whole characters of the pending bytes. Each maximal part of an ill-formed one becomes
  // U+FFFD.
  std::string Take(Incomplete incomplete) {
    std::string out;
    size_t i = 0;
    while (i < pending_.size()) {
      const auto first = static_cast<unsigned char>(pending_[i]);
      const size_t expected = ExpectedBytes(first);
      size_t have = 1;
      while (have < expected && i + have < pending_.size() &&
             CanFollow(first, have, static_cast<unsigned char>(pending_[i + have]))) {
        ++have;
      }
      const bool lacks_bytes = have < expected && i + have == pending_.size();
      if (lacks_bytes && incomplete == Incomplete::kWaits) break;
      if (have == expected && (expected > 1 || first < 0x80)) {
        out.append(pending_, i, have);
      } else {
        out += "\xEF\xBF\xBD";
      }
      i += have;
    }
    pending_.erase(0, i);
    return out;
  }

  const Tokenizer& tokenizer_;
  DecodeOptions options_;
  LeadingStrip leading_;
  std::string pending_;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, Start start, DecodeOptions options)
    : impl_(std::make_unique<Impl>(tokenizer, start, options)) {}
StreamDecoder::~StreamDecoder() = default;
std::string StreamDecoder::Push(TokenId id) { return impl_->Push(id); }
std::string StreamDecoder::Flush() { return impl_->Flush(); }

}  // namespace tome
