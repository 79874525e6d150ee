// How a long operation reports its progress and learns that it should stop.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

namespace tome {

// A progress function is called now and then with the work done so far, in the unit of `total` (0:
// total unknown). `stage` is a short word for the user: "reading", "indexing". Calls may come from
// any thread, but from one at a time. The function must return quickly and must not throw.
using ProgressFn = std::function<void(std::string_view stage, uint64_t done, uint64_t total)>;

// Every long operation takes a WorkControl.
struct WorkControl {
  std::stop_token stop;  // checked now and then; a stopped operation throws Error(kCancelled)
  ProgressFn progress;   // may be empty

  void Report(std::string_view stage, uint64_t done, uint64_t total) const {
    if (progress) progress(stage, done, total);
  }
  // Throws Error(kCancelled) where a stop was requested.
  void CheckStop() const;
};

}  // namespace tome
