#include "tome/tensor/tensor.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "tome/base/error.h"

namespace tome {
namespace {

// Asks the system for large pages. They mean fewer page faults, and fewer misses of the address
// cache for memory that is read over and over. The system may not have any.
void AskForLargePages(std::byte* memory, size_t size) {
  constexpr size_t kLargePage = size_t{2} << 20;
  const size_t before = -reinterpret_cast<uintptr_t>(memory) % kLargePage;  // to a large page
  if (size < before + kLargePage) return;
  ::madvise(memory + before, (size - before) / kLargePage * kLargePage, MADV_HUGEPAGE);
}

// Aligns the memory by hand and keeps the distance to the allocation in the byte before it. glibc
// up to 2.37 hardly ever uses freed memory again for an aligned allocation, so a process that makes
// tensors pass after pass would grow without end.
std::byte* AllocateAligned(size_t size) {
  static_assert(kTensorAlignment <= 128, "the distance must fit a byte");
  auto* const memory = static_cast<std::byte*>(std::malloc(size + kTensorAlignment));
  if (memory == nullptr) return nullptr;
  const size_t distance = kTensorAlignment - reinterpret_cast<uintptr_t>(memory) % kTensorAlignment;
  std::byte* const aligned = memory + distance;
  aligned[-1] = static_cast<std::byte>(distance);
  return aligned;
}

}  // namespace

void Tensor::Free::operator()(std::byte* bytes) const {
  std::free(bytes - static_cast<size_t>(bytes[-1]));
}

Tensor::Tensor(DType dtype, Shape shape, Fill fill) : dtype_(dtype), shape_(shape) {
  const int64_t row_bytes = RowBytes(dtype, shape.row_elements());
  int64_t bytes = 0;
  if (__builtin_mul_overflow(row_bytes, shape.rows(), &bytes)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a tensor of shape {} is too large", ToString(shape)));
  }
  const auto size = static_cast<size_t>(bytes);
  std::byte* const memory = AllocateAligned(size);
  if (memory == nullptr) {
    throw Error(Code::kOutOfMemory, fmt::format("no memory for a tensor of shape {} ({} bytes)",
                                                ToString(shape), size));
  }
  bytes_.reset(memory);
  AskForLargePages(memory, size);
  if (fill == Fill::kZero) std::memset(memory, 0, size);
}

std::span<float> Tensor::floats() {
  TOME_CHECK(dtype_ == DType::kF32);
  return {reinterpret_cast<float*>(bytes_.get()), static_cast<size_t>(shape_.elements())};
}

std::span<const float> Tensor::floats() const {
  TOME_CHECK(dtype_ == DType::kF32);
  return {reinterpret_cast<const float*>(bytes_.get()), static_cast<size_t>(shape_.elements())};
}

}  // namespace tome
