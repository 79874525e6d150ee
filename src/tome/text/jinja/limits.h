// What a template may cost. A template comes with a checkpoint and is as untrusted as any download:
// each limit ends the work with Error(kOutOfMemory), or kCorrupt while it is parsed, that names it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tome::jinja {

// The largest published templates have some 20 KB.
inline constexpr size_t kMaxTemplateBytes = size_t{1} << 20;

// Nesting of blocks and of expressions while they are parsed; brackets count twice. A parsed
// expression is at most this high, so that walking and destroying it needs a bounded stack.
inline constexpr int kMaxParseDepth = 100;

// Macros and caller blocks inside one another.
inline constexpr int kMaxCallDepth = 64;

// Expressions and statements under evaluation at once, over all calls: what bounds the stack.
inline constexpr int kMaxEvaluationDepth = 600;

// Nesting of lists and dicts where they are read from JSON, printed or compared. Python gives up
// near its recursion limit of 1000.
inline constexpr int kMaxValueDepth = 100;

// Bytes of a tuple that is the key of a dict.
inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;

// Items of one range(): the number of Jinja's own sandbox.
inline constexpr int64_t kMaxRange = 100'000;

// Bytes that strftime_now may give.
inline constexpr size_t kMaxTimeBytes = 4096;

// Width and precision of format specifications, digits of round().
inline constexpr int kMaxFormatWidth = 1000;

// Steps: one for each expression and statement evaluated, one for each kStepBytes of text searched.
// A real template takes some hundreds a message; this many last a few seconds.
inline constexpr uint64_t kMaxSteps = 10'000'000;
inline constexpr uint64_t kStepBytes = 256;

// Bytes of all texts, lists and dicts that a rendering makes, also those that it drops again: this
// many, and for each byte of messages and tools as many again as a chain of concatenations copies.
inline constexpr uint64_t kMaxBytes = uint64_t{256} << 20;
inline constexpr uint64_t kMaxBytesPerInputByte = 32;

// Bytes of the rendered text; per byte of input more than one, since JSON escapes double.
inline constexpr uint64_t kMaxOutputBytes = uint64_t{16} << 20;
inline constexpr uint64_t kMaxOutputBytesPerInputByte = 8;

struct Limits {
  uint64_t steps = kMaxSteps;
  uint64_t bytes = kMaxBytes;
  uint64_t output_bytes = kMaxOutputBytes;

  static Limits ForInput(uint64_t input_bytes) {
    return {.bytes = kMaxBytes + input_bytes * kMaxBytesPerInputByte,
            .output_bytes = kMaxOutputBytes + input_bytes * kMaxOutputBytesPerInputByte};
  }
};

}  // namespace tome::jinja
