// How long work tells its caller how far it is and learns that it should stop.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

namespace tome {

// Called now and then with the work done so far, in whatever unit `total` is in (0: total unknown).
// `stage` is a short word for the user: "reading", "indexing". May be called from any one thread at
// a time; must return quickly and must not throw.
using ProgressFn = std::function<void(std::string_view stage, uint64_t done, uint64_t total)>;

// What every long operation takes.
struct WorkControl {
  std::stop_token stop;  // asked now and then; a stopped operation throws Error(kCancelled)
  ProgressFn progress;   // may be empty

  void Report(std::string_view stage, uint64_t done, uint64_t total) const {
    if (progress) progress(stage, done, total);
  }
  // Throws Error(kCancelled) when stop was requested.
  void CheckStop() const;
};

}  // namespace tome
