// ForEachPage works through pages on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "tome/base/progress.h"

namespace tome {

// Calls work(state, i) for every i in [0, count). Each thread has a state of its own, which
// make_state(worker) made on that thread. The calling thread is worker 0, and it alone reports
// progress. The first exception stops all threads and is thrown here. A stop request throws
// Error(kCancelled).
template <typename MakeState, typename Work>
void ForEachPage(size_t count, int threads, const WorkControl& control, std::string_view stage,
                 const MakeState& make_state, const Work& work) {
  std::atomic<size_t> next = 0;
  std::atomic<size_t> done = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::exception_ptr failure;  // guarded by mutex

  const auto run = [&](size_t worker) {
    try {
      auto state = make_state(worker);
      for (size_t i = next++; i < count && !failed; i = next++) {
        control.CheckStop();
        work(state, i);
        ++done;
        if (worker == 0) control.Report(stage, done, count);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      failed = true;
    }
  };
  {
    std::vector<std::jthread> helpers;
    const auto wanted = std::min<size_t>(threads < 1 ? 1 : static_cast<size_t>(threads), count);
    for (size_t t = 1; t < wanted; ++t) helpers.emplace_back([&run, t] { run(t); });
    run(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tome
