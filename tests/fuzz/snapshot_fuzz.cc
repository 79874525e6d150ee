// Any bytes are an Error or a snapshot whose pages are as many as its header says.
#include <cstddef>
#include <cstdint>

#include "tome/base/error.h"
#include "tome/memory/snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tome::Snapshot snapshot;
  try {
    snapshot = tome::ParseSnapshot({reinterpret_cast<const std::byte*>(data), size});
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
    return 0;
  }
  const tome::SnapshotHeader& header = snapshot.header;
  TOME_CHECK(static_cast<int64_t>(snapshot.pages.size()) ==
             header.shape.layers * snapshot.pages_of_layer() * 2 *
                 tome::KvPageBytes(header.kv.older, header.shape.kv_heads, header.shape.head_size));
  snapshot.IsIntact();
  return 0;
}
