#include "tome/memory/recurrent.h"

#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

// Where a layer's window and state begin.
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
  // What a fork still needs is not written again.
  if (next_.use_count() > 1) next_.reset();
  length_ += tokens;
}

}  // namespace tome
