#include "tome/generate/synthetic_memory.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "tome/base/error.h"
#include "tome/tensor/float16.h"

namespace tome {
namespace {

template <typename T>
void Put(std::byte*& at, T value) {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

// Returns a page of keys, or of values, whose elements lie within [-1, 1].
std::vector<std::byte> SyntheticPage(KvType type, const KvShape& shape) {
  constexpr float kScale = 1.0F / 128;
  const bool four_bits = type == KvType::kQ4;
  std::mt19937 random(1);
  std::uniform_int_distribution<int> number(-127, 127);
  std::vector<std::byte> page(
      static_cast<size_t>(KvPageBytes(type, shape.kv_heads, shape.head_size)));
  std::byte* at = page.data();
  for (int64_t head = 0; head < shape.kv_heads; ++head) {
    const std::byte* const end = at + KvSliceBytes(type, shape.head_size);
    const std::byte* const scales = at + KvElementBytes(type, shape.head_size);
    while (at < scales) {
      const int n = number(random);
      switch (type) {
        case KvType::kF32:
          Put(at, kScale * static_cast<float>(n));
          break;
        case KvType::kF16:
          Put(at, F16FromFloat(kScale * static_cast<float>(n)));
          break;
        case KvType::kBF16:
          Put(at, BF16FromFloat(kScale * static_cast<float>(n)));
          break;
        case KvType::kQ8:
        case KvType::kQ4:  // two elements
          Put(at, static_cast<int8_t>(n));
          break;
      }
    }
    while (at < end) Put(at, F16FromFloat(four_bits ? 16 * kScale : kScale));
  }
  return page;
}

}  // namespace

void FillWithSyntheticTokens(Memory& memory, int64_t tokens) {
  TOME_CHECK(memory.length() == 0);
  std::vector<std::vector<std::byte>> synthetic;  // a page of each type
  if (memory.has_kv()) {
    const KvTypes& types = memory.kv().types();
    synthetic.push_back(SyntheticPage(types.main, memory.kv().shape()));
    if (types.mixed()) synthetic.push_back(SyntheticPage(types.local, memory.kv().shape()));
  }
  // Tokens come a part at a time, because Reserve frees the local type of earlier parts.
  while (tokens > 0) {
    const int64_t count = std::min(tokens, kKvPartTokens);
    memory.Reserve(count);
    for (int64_t layer = 0; memory.has_recurrent() && layer < memory.recurrent().shape().layers;
         ++layer) {
      const Recurrent::NextLayer next = memory.recurrent().Next(layer);
      std::ranges::fill(next.window, 0.0F);
      std::ranges::fill(next.state, 0.0F);
    }
    for (int64_t layer = 0; memory.has_kv() && layer < memory.kv().shape().layers; ++layer) {
      const auto first = static_cast<size_t>(memory.kv().held() / kKvPageTokens);
      const auto writable = memory.kv().Writable(layer);
      for (size_t type = 0; type < writable.size(); ++type) {
        const std::vector<std::byte>& page = synthetic[type];
        for (const auto& pages : {writable[type].keys, writable[type].values}) {
          for (std::byte* data : pages.subspan(first)) {
            std::memcpy(data, page.data(), page.size());
          }
        }
      }
    }
    memory.Advance(count);
    tokens -= count;
  }
}

}  // namespace tome
