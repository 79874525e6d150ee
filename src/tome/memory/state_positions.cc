#include "tome/memory/state_positions.h"

#include <bit>

#include "tome/base/error.h"

namespace tome {

bool KeepsState(int64_t position, int64_t length, int64_t step) {
  TOME_CHECK(position > 0 && position <= length && position % step == 0 && length % step == 0);
  const auto index = static_cast<uint64_t>(position / step);
  const int level = std::countr_zero(index);
  return (static_cast<uint64_t>(length / step) >> level) - (index >> level) <= 1;
}

int64_t CountStates(int64_t tokens, int64_t segment) {
  const int64_t step = StateStep(segment);
  const int64_t last = tokens / step * step;
  int64_t count = tokens > last ? 1 : 0;  // the state at the text's end
  for (int64_t position = step; position <= last; position += step) {
    count += KeepsState(position, last, step) ? 1 : 0;
  }
  return count;
}

}  // namespace tome
