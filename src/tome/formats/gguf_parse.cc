// ParseGguf turns the bytes of one file into its metadata and tensors.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_set>
#include <utility>

#include "tome/base/error.h"
#include "tome/formats/byte_reader.h"
#include "tome/formats/gguf_reader.h"

namespace tome {

std::string QuotedName(std::string_view name) {
  constexpr size_t kShown = 80;
  std::string quoted = "\"";
  for (const char c : name.substr(0, kShown)) quoted += c >= ' ' && c <= '~' ? c : '?';
  quoted += name.size() > kShown ? "…\"" : "\"";
  return quoted;
}

namespace {

// The smallest encodings: a pair is an empty key, its type and a one-byte value; a tensor is an
// empty name, a number of dimensions that is 0, a type and an offset.
constexpr uint64_t kMinPairBytes = 8 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 4 + 4 + 8;

class Parser {
 public:
  explicit Parser(std::span<const std::byte> bytes) : bytes_(bytes), in_(bytes) {}

  GgufFile Parse() {
    ReadHeader();
    ReadPairs();
    ReadAlignment();
    ReadTensors();
    PlaceTensors();
    return std::move(file_);
  }

 private:
  struct Placement {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  void ReadHeader();
  void ReadPairs();
  void ReadAlignment();
  void ReadTensors();
  void ReadTensor(std::unordered_set<std::string_view>& names);
  Shape ReadShape(std::string_view what);
  static DType DTypeOf(uint32_t id, std::string_view what);
  void PlaceTensors();
  void CheckOverlap() const;

  std::string_view ReadString(uint64_t max_bytes, std::string_view what);
  MetadataValue ReadValue(GgufType type, std::string_view what);
  MetadataValue ReadArray(std::string_view what);
  bool ReadBool(std::string_view what);
  int64_t ReadInteger(GgufType type, std::string_view what);
  double ReadFloat(GgufType type, std::string_view what) {
    return type == GgufType::kF32 ? static_cast<double>(in_.Read<float>(what))
                                  : in_.Read<double>(what);
  }

  std::span<const std::byte> bytes_;
  ByteReader in_;
  GgufFile file_;
  uint64_t tensor_count_ = 0;
  uint64_t pair_count_ = 0;
  uint64_t array_elements_ = 0;
  std::vector<Placement> placements_;  // one for each of file_.tensors
};

[[noreturn]] void ThrowCorrupt(std::string_view what, std::string_view problem) {
  throw Error(Code::kCorrupt, fmt::format("{}: {}", what, problem));
}

// Returns the bytes of an encoded scalar, or the least that a string takes; 0 for arrays and
// unknown types.
uint64_t MinBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kString:
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kArray:
      break;
  }
  return 0;
}

void Parser::ReadHeader() {
  const auto magic = in_.Take(kGgufMagic.size(), "magic");
  if (std::memcmp(magic.data(), kGgufMagic.data(), kGgufMagic.size()) != 0) {
    ThrowCorrupt("magic", "the file does not begin with \"GGUF\"; it is no GGUF file");
  }
  file_.version = in_.Read<uint32_t>("version");
  constexpr uint32_t kLowHalf = 0xFFFF;
  if (file_.version != 0 && (file_.version & kLowHalf) == 0) {
    throw Error(Code::kUnsupported,
                "version: the file is big-endian; convert the model for little-endian machines");
  }
  if (file_.version != 2 && file_.version != kGgufVersion) {
    throw Error(Code::kUnsupported, fmt::format("version: {}; versions 2 and 3 are supported, "
                                                "convert the model anew",
                                                file_.version));
  }
  tensor_count_ = in_.Read<uint64_t>("tensor count");
  pair_count_ = in_.Read<uint64_t>("metadata count");
  if (pair_count_ > kMaxGgufPairs || pair_count_ > in_.remaining() / kMinPairBytes) {
    ThrowCorrupt("metadata count",
                 fmt::format("{} pairs do not fit a file of {} bytes (at most {} are accepted)",
                             pair_count_, bytes_.size(), kMaxGgufPairs));
  }
  if (tensor_count_ > kMaxGgufTensors || tensor_count_ > in_.remaining() / kMinTensorBytes) {
    ThrowCorrupt("tensor count",
                 fmt::format("{} tensors do not fit a file of {} bytes (at most {} are accepted)",
                             tensor_count_, bytes_.size(), kMaxGgufTensors));
  }
}

std::string_view Parser::ReadString(uint64_t max_bytes, std::string_view what) {
  const auto length = in_.Read<uint64_t>(what);
  if (length > max_bytes) {
    ThrowCorrupt(what, fmt::format("a string of {} bytes, the limit is {}", length, max_bytes));
  }
  const auto text = in_.Take(length, what);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

void Parser::ReadPairs() {
  for (uint64_t i = 0; i < pair_count_; ++i) {
    const std::string place = fmt::format("metadata pair {}", i);
    const std::string_view key = ReadString(kMaxGgufKeyBytes, place);
    if (key.empty()) ThrowCorrupt(place, "its key is empty");
    const std::string what = fmt::format("metadata {}", QuotedName(key));
    if (file_.metadata.Has(key)) ThrowCorrupt(what, "the key stands twice in the file");
    const size_t begin = in_.position();
    const auto type = static_cast<GgufType>(in_.Read<uint32_t>(what));
    file_.metadata.Set(std::string(key), ReadValue(type, what));
    file_.pairs.push_back({key, bytes_.subspan(begin, in_.position() - begin)});
  }
}

bool Parser::ReadBool(std::string_view what) {
  const auto byte = in_.Read<uint8_t>(what);
  if (byte > 1) ThrowCorrupt(what, fmt::format("a bool that is {}", byte));
  return byte == 1;
}

int64_t Parser::ReadInteger(GgufType type, std::string_view what) {
  switch (type) {
    case GgufType::kU8:
      return in_.Read<uint8_t>(what);
    case GgufType::kI8:
      return in_.Read<int8_t>(what);
    case GgufType::kU16:
      return in_.Read<uint16_t>(what);
    case GgufType::kI16:
      return in_.Read<int16_t>(what);
    case GgufType::kU32:
      return in_.Read<uint32_t>(what);
    case GgufType::kI32:
      return in_.Read<int32_t>(what);
    case GgufType::kI64:
      return in_.Read<int64_t>(what);
    default:
      break;
  }
  const auto number = in_.Read<uint64_t>(what);
  if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    ThrowCorrupt(what, fmt::format("the number {} is out of range", number));
  }
  return static_cast<int64_t>(number);
}

MetadataValue Parser::ReadValue(GgufType type, std::string_view what) {
  switch (type) {
    case GgufType::kBool:
      return ReadBool(what);
    case GgufType::kF32:
    case GgufType::kF64:
      return ReadFloat(type, what);
    case GgufType::kString:
      return std::string(ReadString(kMaxGgufStringBytes, what));
    case GgufType::kArray:
      return ReadArray(what);
    default:
      break;
  }
  if (MinBytes(type) == 0) {
    ThrowCorrupt(what, fmt::format("unknown type {}", static_cast<uint32_t>(type)));
  }
  return ReadInteger(type, what);
}

MetadataValue Parser::ReadArray(std::string_view what) {
  const auto type = static_cast<GgufType>(in_.Read<uint32_t>(what));
  const auto count = in_.Read<uint64_t>(what);
  if (type == GgufType::kArray) {
    throw Error(Code::kUnsupported, fmt::format("{}: arrays of arrays are not supported", what));
  }
  if (MinBytes(type) == 0) {
    ThrowCorrupt(what, fmt::format("an array of unknown type {}", static_cast<uint32_t>(type)));
  }
  if (count > in_.remaining() / MinBytes(type) || count > kMaxGgufArrayElements - array_elements_) {
    ThrowCorrupt(what, fmt::format("an array of {} elements does not fit the {} bytes left (at "
                                   "most {} elements of all arrays are accepted)",
                                   count, in_.remaining(), kMaxGgufArrayElements));
  }
  array_elements_ += count;
  const auto fill = [&](auto values, auto read) {
    values.reserve(static_cast<size_t>(count));
    for (uint64_t i = 0; i < count; ++i) values.push_back(read());
    return MetadataValue(std::move(values));
  };
  switch (type) {
    case GgufType::kBool:
      return fill(std::vector<bool>(), [&] { return ReadBool(what); });
    case GgufType::kString:
      return fill(std::vector<std::string>(),
                  [&] { return std::string(ReadString(kMaxGgufStringBytes, what)); });
    case GgufType::kF32:
    case GgufType::kF64:
      return fill(std::vector<double>(), [&] { return ReadFloat(type, what); });
    default:
      return fill(std::vector<int64_t>(), [&] { return ReadInteger(type, what); });
  }
}

void Parser::ReadAlignment() {
  const auto alignment = file_.metadata.Int(kGgufAlignmentKey);
  if (!alignment) return;
  if (*alignment < kMinGgufAlignment || *alignment > kMaxGgufAlignment ||
      !std::has_single_bit(static_cast<uint64_t>(*alignment))) {
    ThrowCorrupt(kGgufAlignmentKey, fmt::format("{} is no power of two from {} to {}", *alignment,
                                                kMinGgufAlignment, kMaxGgufAlignment));
  }
  file_.alignment = static_cast<uint32_t>(*alignment);
}

void Parser::ReadTensors() {
  std::unordered_set<std::string_view> names;
  file_.tensors.reserve(static_cast<size_t>(tensor_count_));
  for (uint64_t i = 0; i < tensor_count_; ++i) ReadTensor(names);
}

DType Parser::DTypeOf(uint32_t id, std::string_view what) {
  const GgufTensorType* type = FindGgufTensorType(id);
  if (type == nullptr) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: has the tensor type {}, which Tome does not know", what, id));
  }
  if (!type->dtype) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: has the type {}, which Tome cannot decode; take the model in "
                            "Q4_K, Q5_K, Q6_K, Q8_0 or F16",
                            what, type->name));
  }
  return *type->dtype;
}

Shape Parser::ReadShape(std::string_view what) {
  const auto rank = in_.Read<uint32_t>(what);
  if (rank > kMaxRank)
    ThrowCorrupt(what, fmt::format("{} dimensions, the limit is {}", rank, kMaxRank));
  std::array<int64_t, kMaxRank> dims{};
  for (uint32_t axis = 0; axis < rank; ++axis) {
    const auto extent = in_.Read<uint64_t>(what);
    if (extent == 0 || extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      ThrowCorrupt(what, fmt::format("dimension {} has the extent {}", axis, extent));
    }
    dims[rank - 1 - axis] = static_cast<int64_t>(extent);
  }
  try {
    return Shape(std::span<const int64_t>(dims.data(), rank));
  } catch (const Error& error) {
    ThrowCorrupt(what, error.what());
  }
}

void Parser::ReadTensor(std::unordered_set<std::string_view>& names) {
  const std::string place = fmt::format("tensor {}", file_.tensors.size());
  const std::string_view name = ReadString(kMaxGgufTensorNameBytes, place);
  if (name.empty()) ThrowCorrupt(place, "its name is empty");
  const std::string what = fmt::format("tensor {}", QuotedName(name));
  if (!names.insert(name).second) ThrowCorrupt(what, "the name stands twice in the file");
  const Shape shape = ReadShape(what);
  const DType dtype = DTypeOf(in_.Read<uint32_t>(what), what);
  const auto offset = in_.Read<uint64_t>(what);
  if (offset % file_.alignment != 0) {
    ThrowCorrupt(what, fmt::format("its offset {} is no multiple of the alignment {}", offset,
                                   file_.alignment));
  }
  const DTypeTraits& traits = TraitsOf(dtype);
  int64_t bytes = 0;
  if (shape.row_elements() % traits.block_elements != 0) {
    ThrowCorrupt(what, fmt::format("rows of {} values do not fill the blocks of {} values of {}",
                                   shape.row_elements(), traits.block_elements, traits.name));
  }
  if (__builtin_mul_overflow(shape.elements() / traits.block_elements, traits.block_bytes,
                             &bytes)) {
    ThrowCorrupt(what, fmt::format("the size of {} in {} overflows", ToString(shape), traits.name));
  }
  file_.tensors.push_back({std::string(name), dtype, shape, {}});
  placements_.push_back({offset, static_cast<uint64_t>(bytes)});
}

void Parser::PlaceTensors() {
  if (file_.tensors.empty()) return;
  const uint64_t padding = (file_.alignment - in_.position() % file_.alignment) % file_.alignment;
  in_.Take(padding, "padding before the tensor data");
  const auto data = bytes_.subspan(in_.position());
  for (size_t i = 0; i < placements_.size(); ++i) {
    const auto [offset, bytes] = placements_[i];
    // The numbers are compared by subtraction, because a sum of numbers from the file can wrap.
    if (offset > data.size() || bytes > data.size() - offset) {
      ThrowCorrupt(fmt::format("tensor {}", QuotedName(file_.tensors[i].name)),
                   fmt::format("its {} bytes at offset {} pass the end of the data ({} bytes); the "
                               "file is damaged or was not copied whole",
                               bytes, offset, data.size()));
    }
    file_.tensors[i].data = data.subspan(static_cast<size_t>(offset), static_cast<size_t>(bytes));
  }
  CheckOverlap();
}

void Parser::CheckOverlap() const {
  std::vector<const GgufTensor*> order;
  order.reserve(file_.tensors.size());
  for (const GgufTensor& tensor : file_.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->data.data() < b->data.data(); });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->data.data() + order[i - 1]->data.size() > order[i]->data.data()) {
      ThrowCorrupt(fmt::format("tensor {}", QuotedName(order[i]->name)),
                   fmt::format("its bytes overlap those of {}", QuotedName(order[i - 1]->name)));
    }
  }
}

}  // namespace

GgufFile ParseGguf(std::span<const std::byte> bytes) { return Parser(bytes).Parse(); }

}  // namespace tome
