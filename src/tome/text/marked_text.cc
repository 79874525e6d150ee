#include "tome/text/marked_text.h"

#include <algorithm>
#include <utility>

#include "tome/base/error.h"

namespace tome {

MarkedText::MarkedText(std::string text, Origin origin) : text_(std::move(text)) {
  if (!text_.empty()) runs_.push_back({text_.size(), origin});
}

size_t MarkedText::RunAt(size_t offset) const {
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), offset,
                                    [](size_t value, const Run& r) { return value < r.end; });
  return static_cast<size_t>(run - runs_.begin());
}

Origin MarkedText::OriginOf(size_t begin, size_t end) const {
  TOME_CHECK(begin <= end && end <= size());
  if (begin == end) return Origin::kTemplate;
  const size_t first = RunAt(begin);
  if (runs_[first].origin == Origin::kContent) return Origin::kContent;
  // Neighbours differ: a second run is content.
  return runs_[first].end < end ? Origin::kContent : Origin::kTemplate;
}

void MarkedText::Append(std::string_view text, Origin origin) {
  if (text.empty()) return;
  text_.append(text);
  if (!runs_.empty() && runs_.back().origin == origin) {
    runs_.back().end = text_.size();
  } else {
    runs_.push_back({text_.size(), origin});
  }
}

void MarkedText::Append(const MarkedText& text, size_t begin, size_t end) {
  TOME_CHECK(begin <= end && end <= text.size());
  if (&text == this) return Append(MarkedText(text), begin, end);
  const std::string_view bytes = text.text_;
  for (size_t run = begin < end ? text.RunAt(begin) : 0; begin < end; ++run) {
    const size_t part = std::min(end, text.runs_[run].end);
    Append(bytes.substr(begin, part - begin), text.runs_[run].origin);
    begin = part;
  }
}

MarkedText MarkedText::Slice(size_t begin, size_t end) const {
  MarkedText slice;
  slice.Append(*this, begin, end);
  return slice;
}

std::vector<PromptPiece> MarkedText::Pieces() const {
  std::vector<PromptPiece> pieces;
  pieces.reserve(runs_.size());
  size_t begin = 0;
  for (const Run& run : runs_) {
    pieces.push_back({text_.substr(begin, run.end - begin), run.origin});
    begin = run.end;
  }
  return pieces;
}

}  // namespace tome
