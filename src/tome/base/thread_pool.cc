#include "tome/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "tome/base/error.h"

namespace tome {
namespace {

// A worker looks for the next loop for this time before it sleeps. A caller looks about as long for
// the end of the last tasks.
constexpr std::chrono::microseconds kSpin{100};
constexpr int kSpinsForEnd = 2000;

// Tells the processor that the thread waits in a loop.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

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
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
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

// Returns the next generation after `seen`. Looks for it a while, then sleeps until it comes.
uint32_t ThreadPool::WaitForLoop(uint32_t seen) const {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      const uint32_t now = generation_.load(std::memory_order_acquire);
      if (now != seen) return now;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < until);
  generation_.wait(seen, std::memory_order_acquire);
  return generation_.load(std::memory_order_acquire);
}

void ThreadPool::Work(int worker) {
  uint32_t seen = 0;
  for (;;) {
    seen = WaitForLoop(seen);
    if (stopping_.load()) return;
    inside_.fetch_add(1);
    // `loop` is null for a worker that comes late.
    if (Loop* const loop = loop_.load(); loop != nullptr) RunTasks(*loop, worker);
    if (inside_.fetch_sub(1) == 1) inside_.notify_all();
  }
}

void ThreadPool::ParallelFor(int64_t tasks, FunctionRef<void(int64_t, int)> body) {
  if (tasks <= 0) return;
  const std::lock_guard caller(callers_);
  Loop loop{.tasks = tasks, .body = body};
  const bool shared = tasks > 1 && !workers_.empty();
  if (shared) {
    loop_.store(&loop);
    generation_.fetch_add(1);
    generation_.notify_all();
  }
  RunTasks(loop, 0);
  if (shared) {
    loop_.store(nullptr);
    for (int spins = 0;; ++spins) {
      const int inside = inside_.load();
      if (inside == 0) break;
      if (spins < kSpinsForEnd) {
        Pause();
      } else {
        inside_.wait(inside);
      }
    }
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

int ProcessorCount() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace tome
