// The reader process answers with these frames (see reader_process.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tome {

inline constexpr char kProgressFrame = 'P';
inline constexpr char kDocumentFrame = 'D';
inline constexpr char kErrorFrame = 'E';
inline constexpr size_t kFrameHeaderBytes = 9;

// Returns the nine header bytes of a frame: its kind and the length of its payload.
inline std::string FrameHeader(char kind, uint64_t payload_bytes) {
  std::string header(1, kind);
  for (int i = 0; i < 8; ++i) header += static_cast<char>((payload_bytes >> (8 * i)) & 0xFF);
  return header;
}

inline uint64_t FramePayloadBytes(std::string_view header) {
  uint64_t bytes = 0;
  for (int i = 0; i < 8; ++i) {
    bytes |= uint64_t{static_cast<unsigned char>(header[static_cast<size_t>(i) + 1])} << (8 * i);
  }
  return bytes;
}

}  // namespace tome
