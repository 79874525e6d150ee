#include "tome/models/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/tensor/codec.h"

namespace tome {

std::string LayerName(std::string_view pattern, int64_t layer) {
  const size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos) return std::string(pattern);
  return fmt::format("{}{}{}", pattern.substr(0, hole), layer, pattern.substr(hole + 2));
}

namespace {

void CheckDecodable(const TensorView& view, const std::string& name) {
  if (IsDecodable(view.dtype)) return;
  throw Error(Code::kUnsupported,
              fmt::format("the tensor {} has the type {}, which holds no weights", name,
                          NameOf(view.dtype)));
}

}  // namespace

const TensorName& Weights::Row(std::string_view name, int64_t layer) const {
  const TensorName* first = nullptr;
  for (const TensorName& row : architecture_.tensors) {
    if (row.gguf != name) continue;
    if (checkpoint_.Find(NameOf(row, layer)) != nullptr) return row;
    if (first == nullptr) first = &row;
  }
  TOME_CHECK(first != nullptr && "a tensor that the architecture's table lacks");
  return *first;
}

std::string Weights::NameOf(const TensorName& row, int64_t layer) const {
  if (checkpoint_.container() == Container::kGguf) return LayerName(row.gguf, layer);
  std::string name = LayerName(row.hf, layer);
  if (architecture_.hf_prefix.empty()) return name;
  std::string prefixed = std::string(architecture_.hf_prefix) + name;
  return checkpoint_.Find(prefixed) != nullptr ? prefixed : name;
}

bool Weights::Has(std::string_view name, int64_t layer) const {
  return std::ranges::any_of(architecture_.tensors, [&](const TensorName& row) {
    return row.gguf == name && checkpoint_.Find(NameOf(row, layer)) != nullptr;
  });
}

TensorView Weights::Matrix(std::string_view name, int64_t layer, int64_t rows,
                           int64_t columns) const {
  const std::string full = NameOf(Row(name, layer), layer);
  const TensorView view = checkpoint_.Bind(full, Shape{rows, columns});
  CheckDecodable(view, full);
  return view;
}

std::vector<float> Weights::Vector(std::string_view name, int64_t layer, int64_t size) const {
  return Values(name, layer, {Shape{size}});
}

std::vector<float> Weights::Values(std::string_view name, int64_t layer,
                                   std::initializer_list<Shape> shapes) const {
  const TensorName& row = Row(name, layer);
  const std::string full = NameOf(row, layer);
  const TensorView* const found = checkpoint_.Find(full);
  const bool fits =
      found != nullptr && std::find(shapes.begin(), shapes.end(), found->shape) != shapes.end();
  const TensorView view = checkpoint_.Bind(full, fits ? found->shape : *shapes.begin());
  CheckDecodable(view, full);
  const int64_t width = view.shape.row_elements();
  std::vector<float> values(static_cast<size_t>(view.shape.elements()));
  for (int64_t r = 0; r < view.shape.rows(); ++r) {
    DecodeRow(
        view.dtype, view.row(r),
        std::span(values).subspan(static_cast<size_t>(r * width), static_cast<size_t>(width)));
  }
  if (checkpoint_.container() == Container::kGguf) return values;
  for (float& value : values) {
    if (row.transform == TensorTransform::kPlusOne) value += 1;
    if (row.transform == TensorTransform::kNegativeExp) value = -std::exp(value);
  }
  return values;
}

Linear Weights::BindLinear(std::string_view stem, int64_t layer, int64_t out, int64_t in) {
  Linear linear = PackOfLayer(Matrix(fmt::format("{}.weight", stem), layer, out, in));
  const std::string bias = fmt::format("{}.bias", stem);
  if (Has(bias, layer)) linear.bias = Vector(bias, layer, out);
  return linear;
}

Norm Weights::BindNorm(std::string_view name, int64_t layer, int64_t size, float eps) const {
  return {.weight = Vector(name, layer, size), .eps = eps};
}

LayerNorm Weights::BindLayerNorm(std::string_view stem, int64_t layer, int64_t size,
                                 float eps) const {
  LayerNorm norm{
      .weight = Vector(fmt::format("{}.weight", stem), layer, size), .bias = {}, .eps = eps};
  const std::string bias = fmt::format("{}.bias", stem);
  if (Has(bias, layer)) norm.bias = Vector(bias, layer, size);
  return norm;
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

Linear Weights::BindExpert(std::string_view stem, int64_t layer, const ExpertIndex& index,
                           int64_t out, int64_t in) {
  const std::string name = fmt::format("{}.weight", stem);
  const std::string full = NameOf(Row(name, layer), layer);
  TensorView matrix;
  if (const size_t hole = full.find("{e}"); hole != std::string::npos) {
    const std::string own =
        fmt::format("{}{}{}", full.substr(0, hole), index.expert, full.substr(hole + 3));
    matrix = checkpoint_.Bind(own, Shape{out, in});
  } else {
    matrix = checkpoint_.Bind(full, Shape{index.experts, out, in});
    matrix.data = matrix.row(index.expert * out);
    matrix.shape = Shape{out, in};
  }
  CheckDecodable(matrix, full);
  return PackOfLayer(matrix, index.used, index.experts);
}

Linear Weights::PackOfLayer(const TensorView& stored, int64_t used, int64_t parts) {
  Tensor rounded;
  TensorView matrix = stored;
  if (encoded_ && !IsBlockQuantized(stored.dtype) &&
      stored.shape.row_elements() % TraitsOf(*encoded_).block_elements == 0) {
    rounded = Encode(stored);
    matrix = rounded.view();
  }
  const auto same = [&](const LinearWeights& weights) { return weights.dtype == matrix.dtype; };
  auto found = std::find_if(linear_.begin(), linear_.end(), same);
  if (found == linear_.end()) found = linear_.insert(found, {.dtype = matrix.dtype});
  found->elements += matrix.shape.elements() * used / parts;
  found->bytes += matrix.bytes() * used / parts;
  Linear linear = Pack(matrix);
  // A set that takes weights as they are stored multiplies with the rounded matrix itself.
  if (linear.packed.data() == nullptr) linear.packed = std::move(rounded);
  return linear;
}

Tensor Weights::Encode(const TensorView& matrix) const {
  Tensor encoded(*encoded_, matrix.shape, Fill::kNone);
  const int64_t row_bytes = RowBytes(*encoded_, matrix.shape.row_elements());
  compute_.threads.ParallelFor(matrix.shape.rows(), [&](int64_t r, int) {
    std::vector<float> row(static_cast<size_t>(matrix.shape.row_elements()));
    DecodeRow(matrix.dtype, matrix.row(r), row);
    EncodeRow(*encoded_, row, encoded.data() + r * row_bytes);
  });
  ReleasePages(matrix.raw());
  return encoded;
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
  // Released pages of memory that belongs to no file would lose what they hold.
  if (!encoded_) ReleasePages(matrix.raw());
  return linear;
}

int64_t Weights::parameters() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : checkpoint_.tensors()) count += tensor.shape.elements();
  return count;
}

}  // namespace tome
