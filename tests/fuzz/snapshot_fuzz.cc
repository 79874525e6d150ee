// Parses any bytes as a snapshot and as a state snapshot. They give an Error, or as many pages or
// states as the header says.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tome/base/error.h"
#include "tome/memory/snapshot.h"

namespace {

template <typename Check>
void Accept(const Check& check) {
  try {
    check();
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  Accept([&] {
    const tome::Snapshot snapshot = tome::ParseSnapshot(bytes);
    const tome::SnapshotHeader& header = snapshot.header;
    const int64_t page =
        tome::KvPageBytes(header.kv.main, header.shape.kv_heads, header.shape.head_size);
    TOME_CHECK(static_cast<int64_t>(snapshot.pages.size()) ==
               header.shape.layers * snapshot.pages_of_layer() * 2 * page);
    snapshot.IsIntact();
  });
  Accept([&] {
    const tome::StateSnapshot snapshot = tome::ParseStateSnapshot(bytes);
    const tome::RecurrentShape& shape = snapshot.header.shape;
    TOME_CHECK(shape.layers >= 1 && shape.window >= 0 && shape.state >= 1);
    TOME_CHECK(snapshot.states.size() == static_cast<size_t>(shape.layers) *
                                             static_cast<size_t>(shape.window + shape.state) *
                                             sizeof(float));
    snapshot.IsIntact();
  });
  return 0;
}
