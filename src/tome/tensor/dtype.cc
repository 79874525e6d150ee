#include "tome/tensor/dtype.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "tome/base/error.h"

namespace tome {
namespace {

constexpr std::array<DTypeTraits, kDTypeCount> kTraits{{
    {"F32", 1, 4},
    {"F16", 1, 2},
    {"BF16", 1, 2},
    {"F64", 1, 8},
    {"I8", 1, 1},
    {"I16", 1, 2},
    {"I32", 1, 4},
    {"I64", 1, 8},
    {"U8", 1, 1},
    {"Q4_0", 32, 18},
    {"Q4_1", 32, 20},
    {"Q5_0", 32, 22},
    {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},
    {"Q4_K", 256, 144},
    {"Q5_K", 256, 176},
    {"Q6_K", 256, 210},
}};

bool EqualIgnoringAsciiCase(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

}  // namespace

const DTypeTraits& TraitsOf(DType dtype) { return kTraits.at(static_cast<size_t>(dtype)); }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (size_t i = 0; i < kTraits.size(); ++i) {
    if (EqualIgnoringAsciiCase(kTraits[i].name, name)) return static_cast<DType>(i);
  }
  return std::nullopt;
}

bool IsBlockQuantized(DType dtype) { return TraitsOf(dtype).block_elements > 1; }

bool IsDecodable(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ||
         IsBlockQuantized(dtype);
}

int64_t RowBytes(DType dtype, int64_t elements) {
  const DTypeTraits& traits = TraitsOf(dtype);
  if (elements < 0 || elements % traits.block_elements != 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a row of {} values does not fill whole blocks of {} ({} values each)",
                            elements, traits.name, traits.block_elements));
  }
  const int64_t blocks = elements / traits.block_elements;
  if (blocks > std::numeric_limits<int64_t>::max() / traits.block_bytes) {
    throw Error(Code::kInvalidArgument, fmt::format("a row of {} values is too large", elements));
  }
  return blocks * traits.block_bytes;
}

}  // namespace tome
