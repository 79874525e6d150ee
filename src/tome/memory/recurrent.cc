#include "tome/memory/recurrent.h"

#include <cstring>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

// The index of the first float of a layer's window and state.
struct Offsets {
  size_t window = 0;
  size_t state = 0;
};

Offsets OffsetsOf(const RecurrentShape& shape, int64_t layer) {
  TOME_CHECK(layer >= 0 && layer < shape.layers);
  const auto window = static_cast<size_t>(layer * RecurrentLayerFloats(shape));
  const RecurrentShape window_alone{.layers = 1, .window = shape.window, .state = 0};
  return {window, window + static_cast<size_t>(RecurrentLayerFloats(window_alone))};
}

}  // namespace

Recurrent::Recurrent(const RecurrentShape& shape) : shape_(shape) {
  TOME_CHECK(shape.layers >= 1 && shape.window >= 0 && shape.state >= 1);
  states_ = NewStates(Fill::kZero);
}

std::shared_ptr<Tensor> Recurrent::NewStates(Fill fill) const {
  return std::make_shared<Tensor>(DType::kF32, Shape{shape_.layers, RecurrentLayerFloats(shape_)},
                                  fill);
}

int64_t Recurrent::bytes() const { return RecurrentBytes(shape_) * (next_ ? 2 : 1); }

void Recurrent::Reserve() {
  if (!next_) next_ = NewStates(Fill::kNone);
}

Recurrent::LayerView Recurrent::View(int64_t layer) const {
  const Offsets at = OffsetsOf(shape_, layer);
  const std::span<const float> all = std::as_const(*states_).floats();
  return {.window = all.subspan(at.window, static_cast<size_t>(shape_.window)),
          .state = all.subspan(at.state, static_cast<size_t>(shape_.state))};
}

Recurrent::NextLayer Recurrent::Next(int64_t layer) {
  TOME_CHECK(next_ != nullptr);
  const Offsets at = OffsetsOf(shape_, layer);
  const std::span<float> all = next_->floats();
  return {.window = all.subspan(at.window, static_cast<size_t>(shape_.window)),
          .state = all.subspan(at.state, static_cast<size_t>(shape_.state))};
}

void Recurrent::Advance(int64_t tokens) {
  TOME_CHECK(tokens >= 0 && next_ != nullptr);
  std::swap(states_, next_);
  // States that a fork still reads must not be written again.
  if (next_.use_count() > 1) next_.reset();
  length_ += tokens;
}

void Recurrent::Restore(int64_t tokens, std::span<const std::byte> states) {
  const auto layer_bytes = static_cast<size_t>(shape_.window + shape_.state) * sizeof(float);
  TOME_CHECK(length_ == 0 && tokens > 0 &&
             states.size() == static_cast<size_t>(shape_.layers) * layer_bytes);
  Reserve();
  for (int64_t layer = 0; layer < shape_.layers; ++layer) {
    const NextLayer next = Next(layer);
    const std::byte* const from = states.data() + static_cast<size_t>(layer) * layer_bytes;
    if (shape_.window > 0) std::memcpy(next.window.data(), from, next.window.size_bytes());
    std::memcpy(next.state.data(), from + next.window.size_bytes(), next.state.size_bytes());
  }
  Advance(tokens);
}

}  // namespace tome
