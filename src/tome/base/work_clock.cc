#include "tome/base/work_clock.h"

#include <ctime>

namespace tome {
namespace {

double ProcessorSeconds() {
  constexpr double kNanoseconds = 1e-9;
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + kNanoseconds * static_cast<double>(time.tv_nsec);
}

}  // namespace

WorkClock::WorkClock() : start_(std::chrono::steady_clock::now()), processor_(ProcessorSeconds()) {}

WorkTime WorkClock::Elapsed() const {
  const auto wall = std::chrono::steady_clock::now() - start_;
  return {.wall = std::chrono::duration<double>(wall).count(),
          .processor = ProcessorSeconds() - processor_};
}

}  // namespace tome
