// Limits of the cost of a template, which comes with a checkpoint and is as untrusted as any
// download. Exceeding one throws an error that names it: Error(kCorrupt) while the template is
// parsed, else Error(kOutOfMemory).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tome::jinja {

// Bytes of the source. The largest published templates have some 20 KB.
inline constexpr size_t kMaxTemplateBytes = size_t{1} << 20;

// Nesting of blocks and of expressions while they are parsed; brackets count twice. It also bounds
// the height of a parsed expression, so that walking and destroying it needs a bounded stack.
inline constexpr int kMaxParseDepth = 100;

// Nesting of calls of macros and caller blocks.
inline constexpr int kMaxCallDepth = 64;

// Expressions and statements under evaluation at once, over all calls. This bounds the stack.
inline constexpr int kMaxEvaluationDepth = 600;

// Nesting of lists and dicts that are read from JSON, printed or compared. Python gives up near its
// recursion limit of 1000.
inline constexpr int kMaxValueDepth = 100;

// Bytes of a tuple that is a key of a dict.
inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;

// Items of one range(), as in Jinja's own sandbox.
inline constexpr int64_t kMaxRange = 100'000;

// Bytes that strftime_now may give.
inline constexpr size_t kMaxTimeBytes = 4096;

// Width and precision of format specifications, and digits of round().
inline constexpr int kMaxFormatWidth = 1000;

// Steps: one for each expression and statement evaluated, and one for each kStepBytes of text
// searched. A real template takes some hundreds for each message; kMaxSteps last a few seconds.
inline constexpr uint64_t kMaxSteps = 10'000'000;
inline constexpr uint64_t kStepBytes = 256;

// Bytes of all texts, lists and dicts that a rendering makes, including those that it drops again.
// The limit is kMaxBytes plus kMaxBytesPerInputByte for each byte of input (messages, tools,
// variables), because a chain of concatenations copies its input many times.
inline constexpr uint64_t kMaxBytes = uint64_t{256} << 20;
inline constexpr uint64_t kMaxBytesPerInputByte = 32;

// Bytes of the rendered text. The limit is kMaxOutputBytes plus kMaxOutputBytesPerInputByte for
// each byte of input, because JSON escapes can double a text.
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
