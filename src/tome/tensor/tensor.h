// A TensorView owns nothing. A Tensor is the one type that owns its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tome/tensor/dtype.h"
#include "tome/tensor/shape.h"

namespace tome {

// A TensorView shows values of one type, row-major and without gaps, in memory that another object
// owns (a Checkpoint, a Tensor) and that must outlive it. `data` may be unaligned, since
// safetensors promises no alignment: read elements by memcpy or unaligned loads.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;

  int64_t row_bytes() const { return RowBytes(dtype, shape.row_elements()); }
  int64_t bytes() const { return row_bytes() * shape.rows(); }
  const std::byte* row(int64_t index) const { return data + index * row_bytes(); }
  std::span<const std::byte> raw() const { return {data, static_cast<size_t>(bytes())}; }
};

inline constexpr size_t kTensorAlignment = 64;  // a cache line, and the widest vector register

// Fill says what a new tensor holds: zeros, or whatever was in memory, for callers that write all
// of it.
enum class Fill { kZero, kNone };

// A Tensor owns its bytes, aligned to kTensorAlignment. It is move-only: a copy of gigabytes has to
// be spelled out.
class Tensor {
 public:
  Tensor() = default;
  // Throws Error(kOutOfMemory) when the system has no room. Large tensors ask the system for large
  // pages.
  Tensor(DType dtype, Shape shape, Fill fill = Fill::kZero);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() = default;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  TensorView view() const { return {dtype_, shape_, bytes_.get()}; }
  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }
  // Return the elements of an F32 tensor; another type is a programming error.
  std::span<float> floats();
  std::span<const float> floats() const;

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  DType dtype_ = DType::kF32;
  Shape shape_{0};
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace tome
