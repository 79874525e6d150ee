// Holds generated text back while it may be the beginning of a stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tome {

class StopFilter {
 public:
  // Empty strings are ignored.
  explicit StopFilter(std::vector<std::string> stops);

  // Takes more text and gives what may be shown: nothing of a stop string, nor of what may become
  // one. After a stop string was seen (stopped()), gives nothing more.
  std::string Push(std::string_view text);
  // What was held back, at the end of the text.
  std::string Flush();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace tome
