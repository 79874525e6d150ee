#include "tome/base/progress.h"

#include "tome/base/error.h"

namespace tome {

void WorkControl::CheckStop() const {
  if (stop.stop_requested()) throw Error(Code::kCancelled, "interrupted");
}

}  // namespace tome
