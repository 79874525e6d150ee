// Rows of weights between floats and the storage types: the readable definition of every format.
// Vectorized readers of the same layouts live in kernels/ and are tested against these.
#pragma once

#include <cstddef>
#include <span>

#include "tome/tensor/dtype.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Decodes `out.size()` values (whole blocks) of a decodable type; `row` holds RowBytes(dtype,
// out.size()) bytes at any alignment. Exact: each value is the format's formula in float.
void DecodeRow(DType dtype, const std::byte* row, std::span<float> out);

// Encodes `values` (whole blocks) into RowBytes(dtype, values.size()) bytes at `row`. F32 is
// exact, F16 and BF16 round to nearest even; Q8_0 scales by the largest value, the other quantized
// types search for scales that keep the squared error small. NaN, infinities and magnitudes above
// 65504 are Error(kInvalidArgument) for the quantized types: their scales, which are F16, cannot
// hold them.
void EncodeRow(DType dtype, std::span<const float> values, std::byte* row);

// All of a decodable tensor as floats.
Tensor DecodeTensor(const TensorView& tensor);

}  // namespace tome
