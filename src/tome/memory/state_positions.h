// The positions of a text behind which the states of recurrent layers are kept on disk.
//
// A state holds all that was read and cannot be cut, and one is as large behind ten tokens as
// behind ten million. So a text being read keeps few of them, closely near where it is and far
// apart before: where a text is changed d tokens before its end, less than 4·d tokens are read
// again (or two steps), and the number of states grows with the logarithm of the length.
//
// Models that attend within segments keep states at ends of segments, where all of their memory is
// the state.
#pragma once

#include <cstdint>

namespace tome {

// The least distance of two regular positions.
inline constexpr int64_t kLeastStateStep = 8192;

// Regular positions are the multiples of this: whole segments of `segment` tokens (0: there are
// none).
constexpr int64_t StateStep(int64_t segment) {
  return segment > 0 ? (kLeastStateStep + segment - 1) / segment * segment : kLeastStateStep;
}

// Whether a text of which `length` tokens are read still keeps the state at a regular position
// before, multiples of `step` both: of every step·2^k, the last two multiples.
bool KeepsState(int64_t position, int64_t length, int64_t step);

// States that are kept of a text of so many tokens.
int64_t CountStates(int64_t tokens, int64_t segment);

// The last position up to `position` at which a state can be kept.
constexpr int64_t StatePositionBefore(int64_t position, int64_t segment) {
  return segment > 0 ? position / segment * segment : position;
}

}  // namespace tome
