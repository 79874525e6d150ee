// Threads that share the tasks of one loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tome/base/function_ref.h"

namespace tome {

// `threads` counts the calling thread, which works too: a pool of one runs everything in place.
// Loops of several callers run one after another. A body must not start a loop of the same pool.
//
// Loops that follow each other within 0.1 ms find the workers awake. Waking a sleeping worker takes
// tens of microseconds, and decoding one token runs over a hundred loops. After 0.1 ms the workers
// sleep, so that an idle pool costs nothing. Tasks are handed out one by one, so that each
// processor takes as many as it can, even where processors differ in speed or are busy with
// something else.
class ThreadPool {
 public:
  // `threads` is at least 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(task, worker) once for each task of [0, tasks), in any order. `worker` lies in
  // [0, threads()) and selects the scratch memory of a thread. Returns when all tasks are done.
  // Rethrows the first exception of a body; tasks that have not begun by then are left out.
  void ParallelFor(int64_t tasks, FunctionRef<void(int64_t task, int worker)> body);

 private:
  struct Loop;
  void Work(int worker);
  uint32_t WaitForLoop(uint32_t seen) const;
  static void RunTasks(Loop& loop, int worker);

  std::mutex callers_;  // held for the length of a loop
  // The running loop, which workers may join; null between loops. A worker first counts itself into
  // `inside_` and then looks at `loop_`. A caller first sets `loop_` to null and then waits until
  // `inside_` is zero.
  std::atomic<Loop*> loop_{nullptr};
  std::atomic<int> inside_{0};
  std::atomic<uint32_t> generation_{0};  // changes with every loop, and when the pool ends
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

// Returns the number of processors that this process may run on.
int ProcessorCount();

}  // namespace tome
