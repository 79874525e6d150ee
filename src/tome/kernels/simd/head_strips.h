// Divides the states of heads among threads. Tasks are whole heads, or, where too few heads would
// leave threads idle, strips of a head's columns, which are independent of each other.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tome/base/thread_pool.h"

namespace tome::TOME_KERNEL_SET {

// Calls run(head, strip_begin, strip_end) for slices that cover each head's `strips` once.
template <typename Run>
void ForHeadStrips(int64_t heads, int64_t strips, ThreadPool& threads, const Run& run) {
  constexpr int64_t kTasksPerThread = 2;
  const int64_t wanted = threads.threads() > 1 ? threads.threads() * kTasksPerThread : 1;
  const int64_t slices =
      std::clamp<int64_t>((wanted + heads - 1) / std::max<int64_t>(heads, 1), 1, strips);
  threads.ParallelFor(heads * slices, [&](int64_t task, int) {
    const int64_t slice = task % slices;
    run(task / slices, slice * strips / slices, (slice + 1) * strips / slices);
  });
}

}  // namespace tome::TOME_KERNEL_SET
