#include "tome/models/weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/tensor/codec.h"

namespace tome {

std::string LayerName(std::string_view pattern, int64_t layer) {
  const size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos) return std::string(pattern);
  return fmt::format("{}{}{}", pattern.substr(0, hole), layer, pattern.substr(hole + 2));
}

const TensorName& Weights::Row(std::string_view name) const {
  for (const TensorName& row : architecture_.tensors) {
    if (row.gguf == name) return row;
  }
  TOME_CHECK(false && "a tensor that the architecture's table lacks");
  return architecture_.tensors.front();
}

std::string Weights::NameOf(const TensorName& row, int64_t layer) const {
  return LayerName(checkpoint_.container() == Container::kGguf ? row.gguf : row.hf, layer);
}

bool Weights::Has(std::string_view name, int64_t layer) const {
  return checkpoint_.Find(NameOf(Row(name), layer)) != nullptr;
}

TensorView Weights::Matrix(std::string_view name, int64_t layer, int64_t rows,
                           int64_t columns) const {
  const std::string full = NameOf(Row(name), layer);
  const TensorView view = checkpoint_.Bind(full, Shape{rows, columns});
  if (!IsDecodable(view.dtype)) {
    throw Error(Code::kUnsupported,
                fmt::format("the tensor {} has the type {}, which holds no weights", full,
                            tome::NameOf(view.dtype)));
  }
  return view;
}

std::vector<float> Weights::Vector(std::string_view name, int64_t layer, int64_t size) const {
  const TensorName& row = Row(name);
  const std::string full = NameOf(row, layer);
  const TensorView view = checkpoint_.Bind(full, Shape{size});
  if (!IsDecodable(view.dtype)) {
    throw Error(Code::kUnsupported,
                fmt::format("the tensor {} has the type {}, which holds no weights", full,
                            tome::NameOf(view.dtype)));
  }
  std::vector<float> values(static_cast<size_t>(size));
  DecodeRow(view.dtype, view.data, values);
  if (row.transform == TensorTransform::kPlusOne &&
      checkpoint_.container() == Container::kSafetensors) {
    for (float& value : values) value += 1;
  }
  return values;
}

Linear Weights::BindLinear(std::string_view stem, int64_t layer, int64_t out, int64_t in) {
  Linear linear = PackOfLayer(Matrix(fmt::format("{}.weight", stem), layer, out, in));
  const std::string bias = fmt::format("{}.bias", stem);
  for (const TensorName& row : architecture_.tensors) {
    if (row.gguf == bias && Has(bias, layer)) linear.bias = Vector(bias, layer, out);
  }
  return linear;
}

Norm Weights::BindNorm(std::string_view name, int64_t layer, int64_t size, float eps) const {
  return {.weight = Vector(name, layer, size), .eps = eps};
}

Linear Weights::BindHead(int64_t vocabulary, int64_t width) {
  const char* const name = Has("output.weight") ? "output.weight" : "token_embd.weight";
  const TensorView matrix = Matrix(name, 0, vocabulary, width);
  head_ = {.dtype = matrix.dtype, .elements = matrix.shape.elements(), .bytes = matrix.bytes()};
  return Pack(matrix);
}

Linear Weights::BindRows(std::string_view stem, int64_t layer, int64_t rows, int64_t in,
                         int64_t first, int64_t out) {
  TensorView matrix = Matrix(fmt::format("{}.weight", stem), layer, rows, in);
  matrix.data = matrix.row(first);
  matrix.shape = Shape{out, in};
  return PackOfLayer(matrix);
}

Linear Weights::PackOfLayer(const TensorView& matrix) {
  const auto same = [&](const LinearWeights& weights) { return weights.dtype == matrix.dtype; };
  auto found = std::find_if(linear_.begin(), linear_.end(), same);
  if (found == linear_.end()) found = linear_.insert(found, {.dtype = matrix.dtype});
  found->elements += matrix.shape.elements();
  found->bytes += matrix.bytes();
  return Pack(matrix);
}

Linear Weights::Pack(const TensorView& matrix) const {
  const int64_t out = matrix.shape[0];
  const int64_t in = matrix.shape[1];
  Linear linear{.kernels = &compute_.kernels,
                .weight = {.dtype = matrix.dtype, .out = out, .in = in, .data = matrix.data},
                .packed = {},
                .bias = {}};
  const int64_t bytes = compute_.kernels.packed_bytes(matrix.dtype, out, in);
  if (bytes == 0) return linear;
  linear.packed = Tensor(DType::kU8, {bytes}, Fill::kNone);
  compute_.kernels.pack(matrix, linear.packed.data(), compute_.threads);
  linear.weight.data = linear.packed.data();
  ReleasePages(matrix.raw());
  return linear;
}

int64_t Weights::parameters() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : checkpoint_.tensors()) count += tensor.shape.elements();
  return count;
}

}  // namespace tome
