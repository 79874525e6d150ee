// Parses any bytes as safetensors. They give an Error, or a file whose tensors fill its data
// exactly.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "tome/base/error.h"
#include "tome/formats/safetensors.h"
#include "tome/formats/tensor_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  tome::SafetensorsFile file;
  try {
    file = tome::ParseSafetensors(bytes);
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
    return 0;
  }
  const std::byte* next = nullptr;
  std::unordered_set<std::string_view> names;
  for (const tome::SafetensorsTensor& tensor : file.tensors) {
    TOME_CHECK(names.insert(tensor.name).second);
    const tome::TensorPlan plan{tensor.name, tensor.dtype, tensor.shape};
    TOME_CHECK(static_cast<size_t>(plan.bytes()) == tensor.data.size());
    TOME_CHECK(next == nullptr || tensor.data.data() == next);
    next = tensor.data.data() + tensor.data.size();
  }
  TOME_CHECK(next == nullptr || next == bytes.data() + bytes.size());
  return 0;
}
