// Parses any bytes as GGUF. They give an Error, or a file whose tensors lie in it without overlap
// and whose pairs can be copied.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tome/base/error.h"
#include "tome/formats/gguf_reader.h"
#include "tome/formats/gguf_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  tome::GgufFile file;
  try {
    file = tome::ParseGguf(bytes);
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
    return 0;
  }
  size_t total = 0;
  for (const tome::GgufTensor& tensor : file.tensors) {
    const tome::TensorPlan plan{tensor.name, tensor.dtype, tensor.shape};
    TOME_CHECK(static_cast<size_t>(plan.bytes()) == tensor.data.size());
    TOME_CHECK(tensor.data.data() >= bytes.data());
    TOME_CHECK(tensor.data.data() + tensor.data.size() <= bytes.data() + bytes.size());
    total += tensor.data.size();
  }
  TOME_CHECK(total <= size);  // otherwise two tensors overlap
  tome::GgufPairs pairs;
  for (const tome::GgufPair& pair : file.pairs) pairs.Copy(pair);
  const size_t left_out = file.metadata.Has(tome::kGgufAlignmentKey) ? 1 : 0;
  TOME_CHECK(pairs.size() + left_out == file.metadata.values().size());
  return 0;
}
