// A ByteReader reads little-endian numbers from a span of bytes. No read passes the end.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tome/base/error.h"

namespace tome {

// Returns a name from a file in the form that an error may print: in quotes, cut when long, with
// "?" for every byte that is not printable ASCII.
std::string QuotedName(std::string_view name);

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // Returns the next `count` bytes. Throws Error(kCorrupt), in which `what` names the bytes, when
  // the data ends before.
  std::span<const std::byte> Take(uint64_t count, std::string_view what) {
    if (count > remaining()) {
      throw Error(Code::kCorrupt,
                  fmt::format("{}: {} bytes are declared at offset {}, but only {} are left; the "
                              "file is damaged or was not copied whole",
                              what, count, position_, remaining()));
    }
    const auto taken = bytes_.subspan(position_, static_cast<size_t>(count));
    position_ += static_cast<size_t>(count);
    return taken;
  }

  template <typename Number>
    requires std::integral<Number> || std::floating_point<Number>
  Number Read(std::string_view what) {
    static_assert(std::endian::native == std::endian::little, "big-endian hosts need a swap here");
    Number number;
    std::memcpy(&number, Take(sizeof(Number), what).data(), sizeof(Number));
    return number;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace tome
