// The weights of the golden models in tests/golden/models. Each weight is a pure function of its
// tensor's name and its index, so that no checkpoint has to be stored.
//
// tests/golden/models/README.md defines them; golden_weights.py there is the same in numpy. For the
// element i of a tensor of scale s and offset o:
//
//   z = FNV-1a(name) + (i + 1) * 0x9E3779B97F4A7C15, finished as splitmix64 does
//   t = 2 * (z >> 40) / 2^24 - 1                      in [-1, 1)
//   value = float32(o + float32(t * (sqrt(3) * s)))   standard deviation s
//
// All arithmetic is IEEE double arithmetic except for the two roundings shown. The product is
// rounded before the sum, so no compiler may fuse the two, and the bits are the same everywhere.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tome {

// Returns the 64-bit FNV-1a hash of the bytes of a tensor's Hugging Face name.
constexpr uint64_t GoldenHash(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3;
  }
  return hash;
}

// Returns the 64 random bits of element `index`.
constexpr uint64_t GoldenBits(uint64_t name_hash, uint64_t index) {
  uint64_t z = name_hash + (index + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// The standard deviation (`scale`) and the mean (`offset`) of a tensor's elements.
struct GoldenScale {
  double scale = 1;
  double offset = 0;
};

// Returns element `index` of the tensor whose name has the hash `name_hash`.
inline float GoldenWeight(uint64_t name_hash, uint64_t index, GoldenScale kind) {
  constexpr double kSqrt3 = 1.7320508075688772;
  const double u = static_cast<double>(GoldenBits(name_hash, index) >> 40) * 0x1p-24;
  const float plain = static_cast<float>((2 * u - 1) * (kSqrt3 * kind.scale));
  return static_cast<float>(kind.offset + static_cast<double>(plain));
}

// Returns the scale of a tensor from its Hugging Face name. `columns` is the tensor's last
// dimension (a matrix [out, in] has `in` columns). `model_type` is the one of config.json: gemma2
// stores w for a norm that multiplies by 1 + w.
inline GoldenScale GoldenScaleOf(std::string_view name, size_t columns,
                                 std::string_view model_type) {
  // State-space models store the logarithm of their decays, A = −exp(A_log), and about that of
  // their steps.
  if (name.ends_with("A_log")) return {0.5, 0.5};
  if (name.ends_with("dt_bias") || name.ends_with("dt_proj.bias")) return {0.5, -2.5};
  if (name.ends_with(".D")) return {0.1, 1};
  if (name.ends_with("norm_f.weight")) return {0.1, 1};
  if (name.ends_with("LayerNorm.weight")) return {0.1, 1};
  if (name.ends_with("norm.weight")) return {0.1, model_type == "gemma2" ? 0.0 : 1.0};
  if (name.ends_with(".bias")) return {0.25, 0};
  if (name.ends_with("embed_tokens.weight") || name.ends_with("backbone.embeddings.weight")) {
    return {0.125, 0};
  }
  return {1.25 / std::sqrt(static_cast<double>(columns)), 0};
}

// Returns a whole tensor of `rows` x `columns` elements, row-major. A vector has one row.
inline std::vector<float> GoldenTensor(std::string_view name, size_t rows, size_t columns,
                                       std::string_view model_type) {
  const uint64_t hash = GoldenHash(name);
  const GoldenScale kind = GoldenScaleOf(name, columns, model_type);
  std::vector<float> values(rows * columns);
  for (size_t i = 0; i < values.size(); ++i) values[i] = GoldenWeight(hash, i, kind);
  return values;
}

}  // namespace tome
