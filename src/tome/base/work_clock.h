// WorkClock measures how long work took, and whether it had a processor meanwhile.
#pragma once

#include <chrono>

namespace tome {

// The times of the thread that measured.
struct WorkTime {
  double wall = 0;       // seconds that passed
  double processor = 0;  // seconds on a processor, including system calls

  WorkTime& operator+=(const WorkTime& other) {
    wall += other.wall;
    processor += other.processor;
    return *this;
  }
};

// Returns whether the thread had a processor for at least four fifths of the time. A thread that
// works on its share of every parallel loop has less only where it, or a thread that it waits for,
// had to wait for a processor because the machine did other things as well. Waiting for a disk
// looks the same.
inline bool HadProcessor(const WorkTime& time) {
  constexpr double kLeastShare = 0.8;
  return time.processor >= kLeastShare * time.wall;
}

// Measures from its construction on, for the thread that constructed it.
class WorkClock {
 public:
  WorkClock();
  WorkTime Elapsed() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double processor_;
};

}  // namespace tome
