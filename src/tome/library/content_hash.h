// The hash by which a library knows a content.
#pragma once

#include <string>

#include "tome/base/progress.h"

namespace tome {

// Returns the XXH3 of a file's content: 128 bits as 16 bytes. It need only tell apart the contents
// of one's own shelf, so it is not cryptographic. Throws Error(kIo), and Error(kCancelled) on a stop
// request.
std::string HashFile(int fd, const WorkControl& control);

}  // namespace tome
