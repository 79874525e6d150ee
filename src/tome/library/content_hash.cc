#include "tome/library/content_hash.h"

#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <memory>

#include "tome/base/error.h"

namespace tome {

std::string HashFile(int fd, const WorkControl& control) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::string buffer(size_t{1} << 20, '\0');
  off_t offset = 0;
  for (;;) {
    control.CheckStop();
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("cannot be read", errno);
    if (count == 0) break;
    XXH3_128bits_update(state.get(), buffer.data(), static_cast<size_t>(count));
    offset += count;
  }
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state.get()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

}  // namespace tome
