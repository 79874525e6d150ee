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
// Loops that follow each other within 0.1 ms find the workers awake, which saves the tens of
// microseconds that waking a sleeper takes: decoding one token runs over a hundred of them. After
// that the workers sleep, and an idle pool costs nothing. Tasks are handed out one by one, so that
// processors of different speed, or busy with something else, take as many as they can.
class ThreadPool {
 public:
  // At least 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(task, worker) once for each task of [0, tasks), in any order, `worker` in
  // [0, threads()): it picks the scratch of a thread. Returns when all are done. The first
  // exception of a body is thrown here; tasks not yet begun are then left out.
  void ParallelFor(int64_t tasks, FunctionRef<void(int64_t task, int worker)> body);

 private:
  struct Loop;
  void Work(int worker);
  uint32_t WaitForLoop(uint32_t seen) const;
  static void RunTasks(Loop& loop, int worker);

  std::mutex callers_;  // held for the length of a loop
  // The loop that runs, which workers may join; null between loops. A worker first counts itself
  // into `inside_`, then looks at `loop_`; a caller first takes `loop_` back, then waits until
  // nobody is inside.
  std::atomic<Loop*> loop_{nullptr};
  std::atomic<int> inside_{0};
  std::atomic<uint32_t> generation_{0};  // changes with every loop, and in the end
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

// The processors that this process may run on.
int ProcessorCount();

}  // namespace tome
