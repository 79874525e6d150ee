// Vectors of an embedder in few bits, as an index keeps them, and queries as a scan of them wants
// them (kernels/vector_scan.h).
//
// Retrieval compares directions (cosine similarity), so only directions are kept: whatever the
// length of a vector, the integers of its direction are scaled to length 1 again. Vectors and
// queries of another embedder's length or with values that are no numbers are errors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tome {

// Rounds each vector to 8 bits a value, with the largest magnitude of a vector at 127:
//
//   n[r, i] = round(127 · x[r, i] / max_j |x[r, j]|)     scale[r] = 1 / ‖n[r]‖
//
// so that scale[r] · n[r] has length 1. A vector of zeros keeps zeros and a scale of 0: its cosine
// with every query is 0. `vectors` is [rows, width], `values` as large, `scales` [rows]. Throws
// Error(kInvalidArgument) for a value that is NaN or infinite.
void QuantizeVectors(std::span<const float> vectors, int64_t width, std::span<int8_t> values,
                     std::span<float> scales);

// A query for scans of 8-bit vectors: 16 bits a value, fewer where wide vectors' sums could pass 32
// bits. It is scaled to length 1, so that a scan gives cosines.
struct VectorQuery {
  std::vector<int16_t> values;  // [PaddedQuery(width)]
  float scale = 0;
};
// Throws Error(kInvalidArgument) for a value that is NaN or infinite, and for a query of zeros, as
// nothing is nearest to that.
VectorQuery QuantizeQuery(std::span<const float> query);

// Encodes a vector in 4 bits a value, x[i] ≈ scale · (2 n[i] − 15), 0 <= n <= 15, in the layout of
// vector_scan.h. Of several widths of the steps the one is taken whose code has the largest cosine
// with x. The scale is ‖x‖² / ⟨2 n − 15, x⟩, so that the code's product with x itself is exact, and
// with a query it errs to neither side (as in RaBitQ, Gao and Long, 2024). Returns the scale, 0 for
// a vector of zeros. `x` is [width] and finite, `nibbles` is [NibbleBytes(width)].
float EncodeNibbles(std::span<const float> x, std::span<uint8_t> nibbles);

}  // namespace tome
