#include "tome/formats/gguf_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "tome/base/error.h"
#include "tome/tensor/blocks.h"

namespace tome {
namespace {

// Parts of the names of tensors with two dimensions that either are no factor of a matrix product,
// or are small and matter too much to be coarse.
constexpr std::array<std::string_view, 6> kKeptParts{"_norm.weight",  "ssm_conv1d.weight",
                                                     "ffn_gate_inp.", "position_embd.weight",
                                                     "token_types.",  "rope_f"};

bool IsMatrix(const TensorPlan& tensor) {
  if (tensor.shape.rank() < 2 || !tensor.name.ends_with(".weight")) return false;
  return std::none_of(kKeptParts.begin(), kKeptParts.end(), [&](std::string_view part) {
    return tensor.name.find(part) != std::string::npos;
  });
}

bool IsKType(DType type) { return TraitsOf(type).block_elements == kKBlockValues; }

bool Fills(DType type, int64_t row) { return row % TraitsOf(type).block_elements == 0; }

DType WantedType(DType type, const TensorPlan& tensor) {
  if (!IsMatrix(tensor)) return DType::kF32;
  const bool outer = tensor.name == "token_embd.weight" || tensor.name == "output.weight";
  return IsKType(type) && outer ? DType::kQ6_K : type;
}

}  // namespace

std::vector<std::string> AssignTypes(DType type, std::vector<TensorPlan>& plans) {
  TOME_CHECK(IsDecodable(type));
  std::map<std::pair<DType, int64_t>, int> fallbacks;  // tensors by type taken and row length
  for (TensorPlan& tensor : plans) {
    if (!IsDecodable(tensor.dtype)) continue;
    const int64_t row = tensor.shape.row_elements();
    tensor.dtype = WantedType(type, tensor);
    if (Fills(tensor.dtype, row)) continue;
    tensor.dtype = Fills(DType::kQ8_0, row) ? DType::kQ8_0 : DType::kF16;
    ++fallbacks[{tensor.dtype, row}];
  }
  std::vector<std::string> notes;
  notes.reserve(fallbacks.size());
  for (const auto& [taken, count] : fallbacks) {
    notes.push_back(
        fmt::format("{} tensor{} with rows of {} values, which do not fill the blocks "
                    "of {}, {} stored as {}",
                    count, count == 1 ? "" : "s", taken.second, NameOf(type),
                    count == 1 ? "is" : "are", NameOf(taken.first)));
  }
  return notes;
}

std::optional<uint32_t> GgufFileType(DType type) {
  switch (type) {
    case DType::kF32:
      return 0;
    case DType::kF16:
      return 1;
    case DType::kQ4_0:
      return 2;
    case DType::kQ4_1:
      return 3;
    case DType::kQ8_0:
      return 7;
    case DType::kQ5_0:
      return 8;
    case DType::kQ5_1:
      return 9;
    case DType::kQ4_K:
      return 14;  // the "small" mixture: one type, except for embedding and head
    case DType::kQ5_K:
      return 16;
    case DType::kQ6_K:
      return 18;
    case DType::kBF16:
      return 32;
    default:
      return std::nullopt;
  }
}

}  // namespace tome
