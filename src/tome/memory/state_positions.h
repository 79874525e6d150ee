// The positions of a text after which the states of recurrent layers are kept on disk.
//
// A state stands for all tokens read and cannot be cut, and it is as large after ten tokens as
// after ten million. So few states of a text are kept: close together near its end, far apart
// before. Where a text is changed d tokens before its end, less than 4·d tokens are read again (or
// two steps), and the number of states grows with the logarithm of the length.
//
// Models that attend within segments keep states at ends of segments, where all of their memory is
// the state.
#pragma once

#include <cstdint>

namespace tome {

// The least distance of two regular positions, in tokens.
inline constexpr int64_t kLeastStateStep = 8192;

// Returns the step whose multiples are the regular positions: whole segments of `segment` tokens;
// 0: there are no segments.
constexpr int64_t StateStep(int64_t segment) {
  return segment > 0 ? (kLeastStateStep + segment - 1) / segment * segment : kLeastStateStep;
}

// Returns whether a text of which `length` tokens are read still keeps the state at the regular
// position `position`, up to `length`; both are multiples of `step`. A text keeps the last two
// multiples of every step·2^k.
bool KeepsState(int64_t position, int64_t length, int64_t step);

// Returns how many states are kept of a text of `tokens` tokens.
int64_t CountStates(int64_t tokens, int64_t segment);

// Returns the last position up to `position` at which a state can be kept.
constexpr int64_t StatePositionBefore(int64_t position, int64_t segment) {
  return segment > 0 ? position / segment * segment : position;
}

}  // namespace tome
