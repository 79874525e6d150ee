// A StopFilter holds generated text back while it may be the beginning of a stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tome {

class StopFilter {
 public:
  // Empty strings are ignored.
  explicit StopFilter(std::vector<std::string> stops);

  // Takes more text and returns the text that may be shown, which has no part of a stop string, nor
  // of one that may still come up. Returns no more text once a stop string was seen (stopped()).
  std::string Push(std::string_view text);
  // Returns the text that was held back; to be called at the end of the text.
  std::string Flush();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace tome
