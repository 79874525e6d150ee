// A Shape is the extent of a tensor in each of its dimensions, outermost first (row-major: the last
// axis is contiguous). GGUF files list dimensions in the reverse order.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace tome {

inline constexpr int kMaxRank = 4;

// A Shape has zero to four dimensions, each at least 0, whose product fits int64_t. Rank 0 is a
// scalar.
class Shape {
 public:
  Shape() = default;
  // Throws Error(kInvalidArgument) for more than kMaxRank dimensions, a negative one, or a product
  // that overflows.
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_.at(static_cast<size_t>(axis)); }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }

  // Returns the extent of the last axis (1 for a scalar): the length of a row.
  int64_t row_elements() const { return rank_ == 0 ? 1 : dims_[static_cast<size_t>(rank_) - 1]; }
  // Returns the product of all axes but the last.
  int64_t rows() const;
  int64_t elements() const { return elements_; }

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.rank_ == b.rank_ && a.dims_ == b.dims_;
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
  int64_t elements_ = 1;
};

// Returns the shape as text: "[4096, 11008]".
std::string ToString(const Shape& shape);

}  // namespace tome
