#include "tome/base/thread_pool.h"

#include <sched.h>

#include <algorithm>

#include "tome/base/error.h"

namespace tome {

struct ThreadPool::Loop {
  int64_t tasks;
  FunctionRef<void(int64_t, int)> body;
  std::atomic<int64_t> next{0};
  std::mutex failure_mutex{};
  std::exception_ptr failure{};  // guarded by failure_mutex
};

ThreadPool::ThreadPool(int threads) {
  TOME_CHECK(threads >= 1);
  workers_.reserve(static_cast<size_t>(threads) - 1);
  for (int worker = 1; worker < threads; ++worker) {
    workers_.emplace_back([this, worker] { Work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  begun_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::RunTasks(Loop& loop, int worker) {
  for (;;) {
    const int64_t task = loop.next.fetch_add(1, std::memory_order_relaxed);
    if (task >= loop.tasks) return;
    try {
      loop.body(task, worker);
    } catch (...) {
      const std::lock_guard lock(loop.failure_mutex);
      if (!loop.failure) loop.failure = std::current_exception();
      loop.next.store(loop.tasks, std::memory_order_relaxed);
    }
  }
}

void ThreadPool::Work(int worker) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock, [&] { return stopping_ || (loop_ != nullptr && generation_ != seen); });
    if (stopping_) return;
    seen = generation_;
    Loop& loop = *loop_;
    ++busy_;
    lock.unlock();
    RunTasks(loop, worker);
    lock.lock();
    if (--busy_ == 0) ended_.notify_one();
  }
}

void ThreadPool::ParallelFor(int64_t tasks, FunctionRef<void(int64_t, int)> body) {
  if (tasks <= 0) return;
  const std::lock_guard caller(callers_);
  Loop loop{.tasks = tasks, .body = body};
  const bool shared = tasks > 1 && !workers_.empty();
  if (shared) {
    {
      const std::lock_guard lock(mutex_);
      loop_ = &loop;
      ++generation_;
    }
    begun_.notify_all();
  }
  RunTasks(loop, 0);
  if (shared) {
    std::unique_lock lock(mutex_);
    loop_ = nullptr;  // a worker that wakes up late finds nothing
    ended_.wait(lock, [&] { return busy_ == 0; });
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

int ProcessorCount() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace tome
