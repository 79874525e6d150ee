#include "tome/memory/recurrent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tome {
namespace {

using testing::Each;

constexpr RecurrentShape kShape{.layers = 3, .window = 5, .state = 33};

// Returns the number that a pass leaves in a layer. Marks of different arguments differ.
float Mark(int64_t length, int64_t layer, bool window) {
  return static_cast<float>((length * 3 + layer) * 2 + (window ? 1 : 0));
}

void Write(Recurrent& recurrent, int64_t length) {
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    const Recurrent::NextLayer next = recurrent.Next(layer);
    std::ranges::fill(next.window, Mark(length, layer, true));
    std::ranges::fill(next.state, Mark(length, layer, false));
  }
}

void Append(Recurrent& recurrent, int64_t tokens) {
  recurrent.Reserve();
  Write(recurrent, recurrent.length() + tokens);
  recurrent.Advance(tokens);
}

void ExpectLength(const Recurrent& recurrent, int64_t length) {
  EXPECT_EQ(recurrent.length(), length);
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    const Recurrent::LayerView view = recurrent.View(layer);
    ASSERT_EQ(view.window.size(), 5);
    ASSERT_EQ(view.state.size(), 33);
    EXPECT_THAT(view.window, Each(length > 0 ? Mark(length, layer, true) : 0.0F));
    EXPECT_THAT(view.state, Each(length > 0 ? Mark(length, layer, false) : 0.0F));
  }
}

TEST(RecurrentTest, IsZeroAtFirst) {
  const Recurrent recurrent(kShape);
  ExpectLength(recurrent, 0);
  EXPECT_EQ(recurrent.bytes(), 3 * (16 + 48) * 4);
  EXPECT_EQ(RecurrentBytes(kShape), recurrent.bytes());
  EXPECT_EQ(RecurrentBytes({.layers = 64, .window = 3 * 5120, .state = 5120 * 16}), 24'903'680);
  EXPECT_EQ(RecurrentBytes({}), 0);
}

TEST(RecurrentTest, HoldsWhatTheLastPassLeft) {
  Recurrent recurrent(kShape);
  for (const int64_t length : {3, 4, 9}) {
    Append(recurrent, length - recurrent.length());
    ExpectLength(recurrent, length);
  }
  EXPECT_EQ(recurrent.bytes(), 2 * RecurrentBytes(kShape));
}

TEST(RecurrentTest, APassThatFailsChangesNothing) {
  Recurrent recurrent(kShape);
  Append(recurrent, 2);
  recurrent.Reserve();
  Write(recurrent, 77);
  ExpectLength(recurrent, 2);
  Append(recurrent, 1);
  ExpectLength(recurrent, 3);
}

TEST(RecurrentTest, ForksAreIndependent) {
  Recurrent recurrent(kShape);
  Append(recurrent, 2);
  Append(recurrent, 1);
  Recurrent fork = recurrent.Fork();
  EXPECT_EQ(fork.View(0).state.data(), recurrent.View(0).state.data()) << "shared, not copied";
  Append(recurrent, 1);
  ExpectLength(fork, 3);
  Append(fork, 5);
  Append(fork, 5);
  ExpectLength(recurrent, 4);
  ExpectLength(fork, 13);
  Append(recurrent, 1);
  ExpectLength(recurrent, 5);
  ExpectLength(fork, 13);
}

TEST(RecurrentTest, AForkOutlivesItsOrigin) {
  Recurrent fork(kShape);
  {
    Recurrent recurrent(kShape);
    Append(recurrent, 4);
    fork = recurrent.Fork();
    Append(recurrent, 4);
  }
  ExpectLength(fork, 4);
}

TEST(RecurrentTest, StatesAreAligned) {
  Recurrent recurrent(kShape);
  recurrent.Reserve();
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    for (const float* at : {recurrent.View(layer).window.data(), recurrent.View(layer).state.data(),
                            const_cast<const float*>(recurrent.Next(layer).state.data())}) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % kTensorAlignment, 0);
    }
  }
}

}  // namespace
}  // namespace tome
