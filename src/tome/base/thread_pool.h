// Threads that share the tasks of one loop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tome/base/function_ref.h"

namespace tome {

// `threads` counts the calling thread, which works too: a pool of one runs everything in place.
// Loops of several callers run one after another. A body must not start a loop of the same pool.
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
  static void RunTasks(Loop& loop, int worker);

  std::mutex callers_;  // held for the length of a loop
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  Loop* loop_ = nullptr;     // guarded by mutex_
  uint64_t generation_ = 0;  // guarded by mutex_; one a loop
  int busy_ = 0;             // guarded by mutex_; workers inside the loop
  bool stopping_ = false;    // guarded by mutex_
  std::vector<std::thread> workers_;
};

// The processors that this process may run on.
int ProcessorCount();

}  // namespace tome
