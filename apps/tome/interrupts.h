// Interrupts turns Ctrl-C and SIGTERM into requests to stop a part of the work, or the program.
#pragma once

#include <memory>
#include <stop_token>

namespace tome {

// The exit status of a program that was interrupted.
inline constexpr int kInterruptedStatus = 130;

// A program has one object, made before any other thread, since threads inherit its signal mask.
//
// The first signal requests the program to stop. The next one ends it at once with status 130.
// While a Part lives, the first SIGINT requests only that part to stop; later signals act as usual.
// SIGTERM always stops the program, its part included.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() = default;

  // Returns the token that is stopped when the program is to end.
  std::stop_token stop() const;

  // A part of the work that Ctrl-C ends without ending the program, for as long as the object
  // lives. Only one part may live at a time.
  class Part {
   public:
    explicit Part(const Interrupts& interrupts);
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part();

    std::stop_token stop() const { return source_.get_token(); }

   private:
    const Interrupts& interrupts_;
    std::stop_source source_;
  };

 private:
  struct State;
  static void Watch(State& state);

  // The thread that waits for signals shares the state. That thread never ends.
  std::shared_ptr<State> state_;
};

}  // namespace tome
