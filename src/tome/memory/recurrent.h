// The constant-size state of recurrent layers: what they remember of all tokens read, however many.
//
// Each such layer has two runs of floats, whose meaning is the architecture's: a window of the last
// inputs of its convolution, and the state itself (Mamba: [channels, state]; Mamba-2: [heads, head
// size, state]; RetNet: [heads, key, value]; a compressive memory: a matrix and a normalizer a
// head). Zeros are the state before the first token.
//
// A forward pass reads the states before it and writes those behind it elsewhere: states are never
// changed. So a pass that fails changes nothing, and a fork is a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "tome/tensor/tensor.h"

namespace tome {

struct RecurrentShape {
  int64_t layers = 0;
  int64_t window = 0;  // floats of a layer's convolution window; 0: none
  int64_t state = 0;   // floats of a layer's state

  friend bool operator==(const RecurrentShape&, const RecurrentShape&) = default;
};

// Each layer's two runs begin at multiples of kTensorAlignment.
constexpr int64_t RecurrentLayerFloats(const RecurrentShape& shape) {
  constexpr auto kFloats = static_cast<int64_t>(kTensorAlignment / sizeof(float));
  const auto aligned = [](int64_t floats) { return (floats + kFloats - 1) / kFloats * kFloats; };
  return aligned(shape.window) + aligned(shape.state);
}
constexpr int64_t RecurrentBytes(const RecurrentShape& shape) {
  return shape.layers * RecurrentLayerFloats(shape) * static_cast<int64_t>(sizeof(float));
}

// Move-only; Fork is the copy. Not thread-safe: one reader or writer at a time, but forks are
// independent of each other.
class Recurrent {
 public:
  // No tokens. Error(kOutOfMemory).
  explicit Recurrent(const RecurrentShape& shape);
  Recurrent(Recurrent&&) noexcept = default;
  Recurrent& operator=(Recurrent&&) noexcept = default;
  Recurrent(const Recurrent&) = delete;
  Recurrent& operator=(const Recurrent&) = delete;
  ~Recurrent() = default;

  // Another memory of the same tokens; shares the states.
  Recurrent Fork() const { return {shape_, length_, states_}; }

  const RecurrentShape& shape() const { return shape_; }
  // Tokens remembered.
  int64_t length() const { return length_; }
  // Of all states that this memory can reach, shared ones included, and the room for the next.
  int64_t bytes() const;

  // A forward pass: makes room for the states behind it, reads each layer through `View`, writes it
  // through `Next` (all of it: it holds nothing of use), and in the end makes these the states with
  // Advance. Error(kOutOfMemory) when there is no room; nothing is changed then.
  void Reserve();
  struct LayerView {
    std::span<const float> window;
    std::span<const float> state;
  };
  // Valid until Advance.
  LayerView View(int64_t layer) const;
  struct NextLayer {
    std::span<float> window;
    std::span<float> state;
  };
  // Another layer's memory may be written at the same time.
  NextLayer Next(int64_t layer);
  void Advance(int64_t tokens);

  // Of no tokens: takes the states behind `tokens` tokens that were computed before,
  // [layers][window + state] floats. Error(kOutOfMemory); nothing is changed then.
  void Restore(int64_t tokens, std::span<const std::byte> states);

 private:
  Recurrent(const RecurrentShape& shape, int64_t length, std::shared_ptr<Tensor> states)
      : shape_(shape), length_(length), states_(std::move(states)) {}

  std::shared_ptr<Tensor> NewStates(Fill fill) const;

  RecurrentShape shape_;
  int64_t length_ = 0;
  std::shared_ptr<Tensor> states_;  // [layers, RecurrentLayerFloats], shared by forks
  std::shared_ptr<Tensor> next_;    // ours alone, or none
};

}  // namespace tome
