// Turns tokens into text: the bytes of each token, and the characters dropped at the beginning of a
// text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {

// One step of decoding, named as in tokenizer.json's decoders.
struct DecoderStep {
  enum class Kind {
    kByteLevel,     // turns letters of byte_alphabet.h into bytes
    kByteFallback,  // turns "<0x41>" into a byte
    kReplace,       // replaces `from` by `to`
    kFuse,          // joins the tokens: later steps see the whole text
    kStrip,         // drops `from`, one character, up to `count` times at the beginning
    // Puts a space before each token, except that it drops `from` where a token begins with it.
    kWordPiece,
    kWordSuffix,   // replaces `from` at the end by a space
    kCleanUp,      // replaces " ." by "." and the like
    kSpaceBefore,  // puts a space before each token
  };
  Kind kind;
  std::string from;
  std::string to;
  uint32_t count = 0;
};

// The bytes of every token, stored one after the other.
class TokenBytesTable {
 public:
  TokenBytesTable() = default;
  // Where `literal[id]` is true, the piece is text already (special and added tokens).
  TokenBytesTable(const std::vector<std::string>& pieces, const std::vector<bool>& literal,
                  const std::vector<DecoderStep>& steps);

  // Returns the bytes of a token. Empty for an id outside the vocabulary.
  std::string_view Of(TokenId id) const {
    const auto i = static_cast<size_t>(id);
    if (id < 0 || i + 1 >= begins_.size()) return {};
    return std::string_view(bytes_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }

  // How many times `leading` may be dropped at the beginning of a text.
  uint32_t max_leading() const { return max_leading_; }
  std::string_view leading() const { return leading_; }

 private:
  std::string bytes_;
  std::vector<size_t> begins_;
  uint32_t max_leading_ = 0;
  std::string leading_ = " ";
};

// Drops the leading characters of a text that comes in parts.
class LeadingStrip {
 public:
  explicit LeadingStrip(const TokenBytesTable& table)
      : leading_(table.leading()), left_(table.max_leading()) {}
  std::string_view Strip(std::string_view bytes) {
    while (left_ > 0 && !bytes.empty()) {
      if (!bytes.starts_with(leading_)) {
        left_ = 0;
        break;
      }
      bytes.remove_prefix(leading_.size());
      --left_;
    }
    return bytes;
  }
  void Stop() { left_ = 0; }

 private:
  std::string_view leading_;
  uint32_t left_;
};

}  // namespace tome
