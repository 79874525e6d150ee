// DecodeRow and EncodeRow convert rows of weights between floats and the storage types. They are
// the readable definition of every format. The vectorized readers of the same layouts live in
// kernels/ and are tested against them.
#pragma once

#include <cstddef>
#include <span>

#include "tome/tensor/dtype.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Decodes `out.size()` values (whole blocks) of a decodable type. `row` holds RowBytes(dtype,
// out.size()) bytes at any alignment. The result is exact: each value is the format's formula in
// float.
void DecodeRow(DType dtype, const std::byte* row, std::span<float> out);

// Encodes `values` (whole blocks) into RowBytes(dtype, values.size()) bytes at `row`. F32 is exact;
// F16 and BF16 round to nearest even. Q8_0 scales by the largest value, and the other quantized
// types search for scales that keep the squared error small. Throws Error(kInvalidArgument) for
// NaN, infinities and magnitudes above 65504 in a quantized type: its scales are F16 and cannot
// hold them.
void EncodeRow(DType dtype, std::span<const float> values, std::byte* row);

// Returns all values of a decodable tensor as floats.
Tensor DecodeTensor(const TensorView& tensor);

}  // namespace tome
