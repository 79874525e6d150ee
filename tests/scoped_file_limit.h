// ScopedFileLimit makes writes fail as on a full disk.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace tome {

// Until the end of the scope, no file of this process may grow beyond `bytes`.
class ScopedFileLimit {
 public:
  explicit ScopedFileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    set_ = ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
  }
  ScopedFileLimit(const ScopedFileLimit&) = delete;
  ScopedFileLimit& operator=(const ScopedFileLimit&) = delete;
  ~ScopedFileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  bool set() const { return set_; }

 private:
  void (*handler_)(int);
  rlimit before_{};
  bool set_ = false;
};

}  // namespace tome
