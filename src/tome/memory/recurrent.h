// Recurrent is the memory of recurrent layers: states of constant size, which stand for all tokens
// read, however many.
//
// Each layer has two runs of floats: a window of the last inputs of its convolution, and the state
// itself. Their meaning is the architecture's (Mamba: [channels, state]; Mamba-2: [heads, head
// size, state]; RetNet: [heads, key, value]; a compressive memory: a matrix and a normalizer a
// head). Before the first token both are zero.
//
// A forward pass reads the states before it and writes the states after it elsewhere; states are
// never changed. So a pass that fails changes nothing, and a fork is a pointer.
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

// Returns the floats of one layer, whose two runs begin at multiples of kTensorAlignment.
constexpr int64_t RecurrentLayerFloats(const RecurrentShape& shape) {
  constexpr auto kFloats = static_cast<int64_t>(kTensorAlignment / sizeof(float));
  const auto aligned = [](int64_t floats) { return (floats + kFloats - 1) / kFloats * kFloats; };
  return aligned(shape.window) + aligned(shape.state);
}
constexpr int64_t RecurrentBytes(const RecurrentShape& shape) {
  return shape.layers * RecurrentLayerFloats(shape) * static_cast<int64_t>(sizeof(float));
}

// Recurrent is move-only: Fork makes the copy. It is not thread-safe (one reader or writer at a
// time), but forks are independent of each other.
class Recurrent {
 public:
  // Makes a memory of no tokens. Throws Error(kOutOfMemory).
  explicit Recurrent(const RecurrentShape& shape);
  Recurrent(Recurrent&&) noexcept = default;
  Recurrent& operator=(Recurrent&&) noexcept = default;
  Recurrent(const Recurrent&) = delete;
  Recurrent& operator=(const Recurrent&) = delete;
  ~Recurrent() = default;

  // Returns another memory of the same tokens, which shares the states.
  Recurrent Fork() const { return {shape_, length_, states_}; }

  const RecurrentShape& shape() const { return shape_; }
  // Returns the number of tokens read.
  int64_t length() const { return length_; }
  // Returns the bytes of all states that this memory can reach, shared ones included, and of room
  // for more.
  int64_t bytes() const;

  // A forward pass calls Reserve, which makes room for the states after it; reads each layer
  // through `View`; writes each whole layer through `Next`, which holds nothing of use before; and
  // makes these the states with Advance. Reserve throws Error(kOutOfMemory) when there is no room
  // and changes nothing then.
  void Reserve();
  struct LayerView {
    std::span<const float> window;
    std::span<const float> state;
  };
  // Returns the states before the pass; valid until Advance.
  LayerView View(int64_t layer) const;
  struct NextLayer {
    std::span<float> window;
    std::span<float> state;
  };
  // Returns room for the states after the pass. Threads may write different layers at the same
  // time.
  NextLayer Next(int64_t layer);
  void Advance(int64_t tokens);

  // Gives a memory of no tokens the states after `tokens` tokens that were computed before:
  // `states` is [layers][window + state] floats. Throws Error(kOutOfMemory) and then changes
  // nothing.
  void Restore(int64_t tokens, std::span<const std::byte> states);

 private:
  Recurrent(const RecurrentShape& shape, int64_t length, std::shared_ptr<Tensor> states)
      : shape_(shape), length_(length), states_(std::move(states)) {}

  std::shared_ptr<Tensor> NewStates(Fill fill) const;

  RecurrentShape shape_;
  int64_t length_ = 0;
  std::shared_ptr<Tensor> states_;  // [layers, RecurrentLayerFloats], shared by forks
  std::shared_ptr<Tensor> next_;    // never shared; null: no room yet
};

}  // namespace tome
