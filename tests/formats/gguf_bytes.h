// Builds GGUF files byte by byte, independently of the writer, so that a test can put a wrong value
// into any field.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

template <typename Number>
std::string Raw(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

inline std::string RawString(std::string_view text) {
  return Raw(uint64_t{text.size()}).append(text);
}

// GgufBytes holds the parts of a file. The defaults are valid.
struct GgufBytes {
  std::string magic = "GGUF";
  uint32_t version = 3;
  // Encoded by GgufPairOf or GgufArrayOf.
  std::vector<std::string> pairs;
  // Encoded by GgufTensorOf.
  std::vector<std::string> tensors;
  std::string data;
  int64_t pair_count = -1;  // -1: the true one
  int64_t tensor_count = -1;
  size_t alignment = 32;

  std::string Build() const {
    const auto count = [](int64_t told, size_t real) {
      return Raw(told >= 0 ? static_cast<uint64_t>(told) : uint64_t{real});
    };
    std::string file = magic + Raw(version) + count(tensor_count, tensors.size()) +
                       count(pair_count, pairs.size());
    for (const std::string& pair : pairs) file += pair;
    for (const std::string& tensor : tensors) file += tensor;
    if (!tensors.empty()) file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + data;
  }
};

// Encodes a pair; `value` is already encoded.
inline std::string GgufPairOf(std::string_view key, uint32_t type, std::string_view value) {
  return RawString(key) + Raw(type) + std::string(value);
}

inline std::string GgufArrayOf(std::string_view key, uint32_t type, uint64_t count,
                               std::string_view elements) {
  return GgufPairOf(key, 9, Raw(type) + Raw(count) + std::string(elements));
}

// Encodes a tensor; `dims` are in the order of the file, the contiguous one first.
inline std::string GgufTensorOf(std::string_view name, const std::vector<uint64_t>& dims,
                                uint32_t type, uint64_t offset) {
  std::string bytes = RawString(name) + Raw(static_cast<uint32_t>(dims.size()));
  for (const uint64_t dim : dims) bytes += Raw(dim);
  return bytes + Raw(type) + Raw(offset);
}

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Returns a file with two tensors, a [2, 3] of F32 and b [4] of F16, and pairs of several types.
inline GgufBytes SmallGguf() {
  GgufBytes file;
  file.pairs = {GgufPairOf("general.architecture", 8, RawString("llama")),
                GgufPairOf("llama.block_count", 4, Raw(uint32_t{2})),
                GgufArrayOf("tokenizer.ggml.tokens", 8, 2, RawString("a") + RawString("bc")),
                GgufPairOf("llama.eps", 6, Raw(0.5F))};
  file.tensors = {GgufTensorOf("a.weight", {3, 2}, 0, 0), GgufTensorOf("b.weight", {4}, 1, 32)};
  for (const float value : {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}) file.data += Raw(value);
  file.data.resize(32);
  for (const int half : {0x3C00, 0x4000, 0xC000, 0x0000})
    file.data += Raw(static_cast<uint16_t>(half));
  return file;
}

}  // namespace tome
