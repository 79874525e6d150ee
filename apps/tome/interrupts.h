// Ctrl-C and SIGTERM as requests to stop: of a part of the work, or of the program.
#pragma once

#include <memory>
#include <stop_token>

namespace tome {

// One object a program, made before any other thread: those inherit its mask of signals.
//
// The first signal requests the program to stop, the next one ends it at once with status 130.
// While a part of the work can end by itself (Part), SIGINT requests that first, and what follows
// is as ever. SIGTERM always means the program, its part included.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() = default;

  // Requested when the program is to end.
  std::stop_token stop() const;

  // What Ctrl-C ends without ending the program, for as long as the object lives. One at a time.
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

  std::shared_ptr<State> state_;  // shared with the thread that waits for signals, which never ends
};

}  // namespace tome
