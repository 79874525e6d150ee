#include "tome/formats/gguf_writer.h"

#include <fmt/format.h>

#include <bit>
#include <type_traits>
#include <unordered_set>

#include "tome/base/error.h"
#include "tome/formats/byte_reader.h"

namespace tome {
namespace {

static_assert(std::endian::native == std::endian::little, "big-endian hosts need a swap here");

template <typename Number>
void Append(std::string& bytes, Number number) {
  static_assert(std::is_arithmetic_v<Number>);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void Append(std::string& bytes, GgufType type) { Append(bytes, static_cast<uint32_t>(type)); }

void AppendString(std::string& bytes, std::string_view text) {
  Append(bytes, uint64_t{text.size()});
  bytes.append(text);
}

template <typename Value>
std::string EncodedScalar(GgufType type, Value value) {
  std::string bytes;
  Append(bytes, type);
  Append(bytes, value);
  return bytes;
}

std::string ArrayHead(GgufType type, size_t count) {
  std::string bytes;
  Append(bytes, GgufType::kArray);
  Append(bytes, type);
  Append(bytes, uint64_t{count});
  return bytes;
}

template <typename Number>
std::string EncodedArray(GgufType type, std::span<const Number> values) {
  std::string bytes = ArrayHead(type, values.size());
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

void AppendTensor(std::string& header, const TensorPlan& tensor, uint64_t offset) {
  const auto type = GgufTensorTypeId(tensor.dtype);
  if (!type) {
    throw Error(Code::kUnsupported, fmt::format("tensor \"{}\": GGUF cannot hold the type {}",
                                                tensor.name, NameOf(tensor.dtype)));
  }
  if (tensor.name.empty() || tensor.name.size() > kMaxGgufTensorNameBytes) {
    throw Error(Code::kInvalidArgument,
                fmt::format("tensor {}: the name has {} bytes; GGUF takes 1 to {}",
                            QuotedName(tensor.name), tensor.name.size(), kMaxGgufTensorNameBytes));
  }
  if (tensor.shape.elements() == 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("tensor \"{}\": is empty, which GGUF does not allow", tensor.name));
  }
  AppendString(header, tensor.name);
  Append(header, static_cast<uint32_t>(tensor.shape.rank()));
  for (int axis = tensor.shape.rank() - 1; axis >= 0; --axis) {
    Append(header, static_cast<uint64_t>(tensor.shape[axis]));
  }
  Append(header, *type);
  Append(header, offset);
}

constexpr uint64_t PaddingAfter(uint64_t size) {
  return (kGgufDefaultAlignment - size % kGgufDefaultAlignment) % kGgufDefaultAlignment;
}

}  // namespace

void GgufPairs::Set(std::string_view key, std::string encoded) {
  for (auto& [name, value] : pairs_) {
    if (name == key) {
      value = std::move(encoded);
      return;
    }
  }
  pairs_.emplace_back(key, std::move(encoded));
}

void GgufPairs::Copy(const GgufPair& pair) {
  Set(pair.key,
      std::string(reinterpret_cast<const char*>(pair.encoded.data()), pair.encoded.size()));
}

void GgufPairs::SetUint32(std::string_view key, uint32_t value) {
  Set(key, EncodedScalar(GgufType::kU32, value));
}

void GgufPairs::SetFloat32(std::string_view key, float value) {
  Set(key, EncodedScalar(GgufType::kF32, value));
}

void GgufPairs::SetBool(std::string_view key, bool value) {
  Set(key, EncodedScalar(GgufType::kBool, static_cast<uint8_t>(value ? 1 : 0)));
}

void GgufPairs::SetString(std::string_view key, std::string_view value) {
  std::string bytes;
  Append(bytes, GgufType::kString);
  AppendString(bytes, value);
  Set(key, std::move(bytes));
}

void GgufPairs::SetStrings(std::string_view key, std::span<const std::string> values) {
  std::string bytes = ArrayHead(GgufType::kString, values.size());
  for (const std::string& value : values) AppendString(bytes, value);
  Set(key, std::move(bytes));
}

void GgufPairs::SetInt32s(std::string_view key, std::span<const int32_t> values) {
  Set(key, EncodedArray(GgufType::kI32, values));
}

void GgufPairs::SetFloat32s(std::string_view key, std::span<const float> values) {
  Set(key, EncodedArray(GgufType::kF32, values));
}

bool GgufPairs::Has(std::string_view key) const {
  for (const auto& [name, value] : pairs_) {
    if (name == key) return true;
  }
  return false;
}

std::string GgufPairs::Encoded() const {
  std::string bytes;
  for (const auto& [key, value] : pairs_) {
    AppendString(bytes, key);
    bytes += value;
  }
  return bytes;
}

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufPairs& pairs,
                       const std::vector<TensorPlan>& tensors)
    : file_(path) {
  std::string header(kGgufMagic);
  Append(header, kGgufVersion);
  Append(header, uint64_t{tensors.size()});
  Append(header, uint64_t{pairs.size()});
  header += pairs.Encoded();
  uint64_t offset = 0;
  std::unordered_set<std::string_view> names;
  for (const TensorPlan& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("tensor \"{}\": is to be written twice", tensor.name));
    }
    AppendTensor(header, tensor, offset);
    sizes_.push_back(static_cast<uint64_t>(tensor.bytes()));
    offset += sizes_.back() + PaddingAfter(sizes_.back());
  }
  file_.Write(header);
  Pad();
}

void GgufWriter::Write(std::span<const std::byte> bytes) {
  TOME_CHECK(tensor_ < sizes_.size() && bytes.size() <= sizes_[tensor_] - written_);
  file_.Write(bytes);
  written_ += bytes.size();
  if (written_ < sizes_[tensor_]) return;
  Pad();
  ++tensor_;
  written_ = 0;
}

void GgufWriter::Pad() {
  constexpr std::string_view kZeros(
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", kGgufDefaultAlignment);
  file_.Write(kZeros.substr(0, PaddingAfter(file_.size())));
}

void GgufWriter::Finish() {
  TOME_CHECK(tensor_ == sizes_.size());
  file_.Commit();
}

}  // namespace tome
