#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "tome/base/error.h"
#include "tome/formats/safetensors.h"

namespace tome {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, 9> kTypes{{
    {"F32", DType::kF32},
    {"F16", DType::kF16},
    {"BF16", DType::kBF16},
    {"F64", DType::kF64},
    {"I8", DType::kI8},
    {"I16", DType::kI16},
    {"I32", DType::kI32},
    {"I64", DType::kI64},
    {"U8", DType::kU8},
}};

[[noreturn]] void Corrupt(const std::string& message) { throw Error(Code::kCorrupt, message); }

// An Entry is one tensor as the header describes it.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> offsets;
  bool has_dtype = false;
  bool has_shape = false;
  bool has_offsets = false;
};

// HeaderHandler takes the header's JSON event by event, so that duplicate keys are seen and no
// value is built from JSON that does not belong there.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a boolean"); }
  bool number_float(double, const std::string&) override { return Unexpected("a fraction"); }
  bool binary(binary_t&) override { return Unexpected("binary data"); }
  bool number_integer(int64_t value) override { return Number(value); }
  bool number_unsigned(uint64_t value) override {
    if (value > uint64_t{INT64_MAX}) return Unexpected("a number above 2^63");
    return Number(static_cast<int64_t>(value));
  }

  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata_) {
      if (!metadata.emplace(key_, value).second) Corrupt(Where() + ": stands there twice");
      return true;
    }
    if (depth_ == 2 && key_ == "dtype") {
      if (std::exchange(entries.back().has_dtype, true)) Corrupt(Where() + ": stands there twice");
      entries.back().dtype = value;
      return true;
    }
    return Unexpected("a string");
  }

  bool start_object(size_t) override {
    if (in_array_ || depth_ >= 2) return Unexpected("an object");
    ++depth_;
    if (depth_ == 2) {
      in_metadata_ = top_ == "__metadata__";
      if (!in_metadata_) {
        if (entries.size() >= kMaxSafetensorsTensors) Corrupt("header: too many tensors");
        entries.emplace_back().name = top_;
      }
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool key(std::string& value) override {
    (depth_ == 1 ? top_ : key_) = value;
    return true;
  }
  bool start_array(size_t) override {
    if (depth_ != 2 || in_metadata_ || in_array_) return Unexpected("an array");
    Entry& entry = entries.back();
    if (key_ == "shape") {
      if (std::exchange(entry.has_shape, true)) Corrupt(Where() + ": stands there twice");
      array_ = &entry.shape;
    } else if (key_ == "data_offsets") {
      if (std::exchange(entry.has_offsets, true)) Corrupt(Where() + ": stands there twice");
      array_ = &entry.offsets;
    } else {
      return Unexpected("an array");
    }
    in_array_ = true;
    return true;
  }
  bool end_array() override {
    in_array_ = false;
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    Corrupt(fmt::format("header: no JSON at byte {}: {}", position, error.what()));
  }

 private:
  bool Number(int64_t value) {
    if (!in_array_) return Unexpected("a number");
    if (value < 0) return Unexpected("a negative number");
    if (array_->size() >= 8) return Unexpected("a long array");
    array_->push_back(value);
    return true;
  }
  std::string Where() const {
    return depth_ == 2 ? fmt::format("tensor \"{}\": {}", top_, key_)
                       : fmt::format("header: {}", top_);
  }
  bool Unexpected(std::string_view what) {
    Corrupt(fmt::format("{}: {} is not allowed there", Where(), what));
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  bool in_array_ = false;
  std::string top_;
  std::string key_;
  std::vector<int64_t>* array_ = nullptr;
};

DType TypeOf(const Entry& entry) {
  for (const auto& [name, dtype] : kTypes) {
    if (name == entry.dtype) return dtype;
  }
  throw Error(Code::kUnsupported,
              fmt::format("tensor \"{}\": dtype \"{}\" is not supported", entry.name, entry.dtype));
}

SafetensorsTensor TensorOf(const Entry& entry, std::span<const std::byte> data) {
  if (!entry.has_dtype || !entry.has_shape || !entry.has_offsets) {
    Corrupt(fmt::format("tensor \"{}\": needs dtype, shape and data_offsets", entry.name));
  }
  if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1] ||
      static_cast<uint64_t>(entry.offsets[1]) > data.size()) {
    Corrupt(fmt::format("tensor \"{}\": data_offsets [{}] do not lie in the {} bytes of data",
                        entry.name, fmt::join(entry.offsets, ", "), data.size()));
  }
  SafetensorsTensor tensor{.name = entry.name, .dtype = TypeOf(entry), .shape = {}, .data = {}};
  const auto begin = static_cast<size_t>(entry.offsets[0]);
  tensor.data = data.subspan(begin, static_cast<size_t>(entry.offsets[1]) - begin);
  try {
    tensor.shape = Shape(std::span<const int64_t>(entry.shape));
    int64_t bytes = 0;
    if (__builtin_mul_overflow(tensor.shape.elements(), TraitsOf(tensor.dtype).block_bytes,
                               &bytes) ||
        static_cast<uint64_t>(bytes) != tensor.data.size()) {
      Corrupt(fmt::format("{} values of {} do not fill {} bytes", tensor.shape.elements(),
                          entry.dtype, tensor.data.size()));
    }
  } catch (const Error& error) {
    throw Error(Code::kCorrupt, fmt::format("tensor \"{}\": {}", entry.name, error.what()));
  }
  return tensor;
}

}  // namespace

std::optional<std::string_view> SafetensorsTypeName(DType dtype) {
  for (const auto& [name, type] : kTypes) {
    if (type == dtype) return name;
  }
  return std::nullopt;
}

SafetensorsFile ParseSafetensors(std::span<const std::byte> bytes) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) Corrupt("header: the file is shorter than 8 bytes");
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  if (header_bytes > kMaxSafetensorsHeader || header_bytes > bytes.size() - sizeof header_bytes) {
    Corrupt(fmt::format("header: {} bytes are announced, the file has {}", header_bytes,
                        bytes.size() - sizeof header_bytes));
  }
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof header_bytes,
                                static_cast<size_t>(header_bytes));
  if (!header.starts_with('{')) Corrupt("header: does not begin with '{'");
  // The JSON parser would take a byte of zero for the end of the text.
  if (header.find('\0') != std::string_view::npos) Corrupt("header: holds a byte of zero");
  const auto data = bytes.subspan(sizeof header_bytes + header.size());

  HeaderHandler handler;
  nlohmann::json::sax_parse(header.begin(), header.end(), &handler);
  SafetensorsFile file{.metadata = std::move(handler.metadata), .tensors = {}};
  file.tensors.reserve(handler.entries.size());
  std::unordered_set<std::string_view> names;
  for (const Entry& entry : handler.entries) {
    if (!names.insert(entry.name).second) {
      Corrupt(fmt::format("tensor \"{}\": stands twice in the header", entry.name));
    }
    file.tensors.push_back(TensorOf(entry, data));
  }

  std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) {
    return a.data.data() != b.data.data() ? a.data.data() < b.data.data()
                                          : a.data.size() < b.data.size();
  });
  size_t covered = 0;
  for (const SafetensorsTensor& tensor : file.tensors) {
    const auto begin = static_cast<size_t>(tensor.data.data() - data.data());
    if (begin != covered) {
      Corrupt(fmt::format("tensor \"{}\": data_offsets leave a hole or overlap at byte {}",
                          tensor.name, covered));
    }
    covered += tensor.data.size();
  }
  if (covered != data.size()) {
    Corrupt(fmt::format("{} bytes behind the last tensor", data.size() - covered));
  }
  return file;
}

}  // namespace tome
