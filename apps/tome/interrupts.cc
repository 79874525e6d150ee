#include "interrupts.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <thread>

namespace tome {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

struct Interrupts::State {
  std::stop_source program;
  std::mutex mutex;
  std::optional<std::stop_source> part;  // guarded by mutex
};

Interrupts::Interrupts() : state_(std::make_shared<State>()) {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([state = state_] {
    for (;;) Watch(*state);
  }).detach();
}

std::stop_token Interrupts::stop() const { return state_->program.get_token(); }

void Interrupts::Watch(State& state) {
  const sigset_t signals = Signals();
  int signal = 0;
  sigwait(&signals, &signal);
  std::optional<std::stop_source> part;
  {
    const std::scoped_lock lock(state.mutex);
    part = state.part;
  }
  // request_stop returns false where the stop was requested already.
  if (signal == SIGINT && part && part->request_stop()) return;
  if (!state.program.request_stop()) ::_exit(kInterruptedStatus);
  if (part) part->request_stop();
}

Interrupts::Part::Part(const Interrupts& interrupts) : interrupts_(interrupts) {
  const std::scoped_lock lock(interrupts_.state_->mutex);
  interrupts_.state_->part = source_;
  // The program may have been asked to stop before this part began.
  if (interrupts_.state_->program.stop_requested()) source_.request_stop();
}

Interrupts::Part::~Part() {
  const std::scoped_lock lock(interrupts_.state_->mutex);
  interrupts_.state_->part.reset();
}

}  // namespace tome
