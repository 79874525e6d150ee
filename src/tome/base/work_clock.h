// How long work took, and whether it had a processor meanwhile.
#pragma once

#include <chrono>

namespace tome {

// Of the thread that measured.
struct WorkTime {
  double wall = 0;       // seconds that passed
  double processor = 0;  // seconds on a processor, those of system calls included

  WorkTime& operator+=(const WorkTime& other) {
    wall += other.wall;
    processor += other.processor;
    return *this;
  }
};

// Whether the thread had a processor for all but a fifth of the time. A thread that works on its
// share of every parallel loop falls short of that where it, or one that it waits for, had to wait
// for a processor: the machine did other things as well. Waiting for a disk looks the same.
inline bool HadProcessor(const WorkTime& time) {
  constexpr double kLeastShare = 0.8;
  return time.processor >= kLeastShare * time.wall;
}

// Measures from its making on, in the thread that made it.
class WorkClock {
 public:
  WorkClock();
  WorkTime Elapsed() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double processor_;
};

}  // namespace tome
