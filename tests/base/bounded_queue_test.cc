#include "tome/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace tome {
namespace {

TEST(BoundedQueueTest, GivesItemsInOrderAndMovesThem) {
  BoundedQueue<std::unique_ptr<int>> queue(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.Push(std::make_unique<int>(i)));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(**queue.Pop(), i);
}

TEST(BoundedQueueTest, AFastProducerIsNeverMoreThanTheCapacityAhead) {
  constexpr int kItems = 2000;
  constexpr int kCapacity = 4;
  BoundedQueue<int> queue(kCapacity);
  std::atomic<int> pushed = 0;
  std::jthread producer([&] {
    for (int i = 0; i < kItems; ++i) {
      EXPECT_TRUE(queue.Push(i));
      ++pushed;
    }
    queue.Close();
  });
  int popped = 0;
  while (const auto item = queue.Pop()) {
    EXPECT_EQ(*item, popped);
    ++popped;
    // The counted pushes are at most the items taken plus those that fit.
    EXPECT_LE(pushed.load(), popped + kCapacity);
  }
  EXPECT_EQ(popped, kItems);
}

TEST(BoundedQueueTest, AClosedQueueRefusesAndDrains) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.Push(1));
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
  EXPECT_EQ(queue.Pop(), std::nullopt);
  queue.Close();
}

TEST(BoundedQueueTest, CloseWakesAProducerThatWaitsForRoom) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  std::atomic<bool> refused = false;
  {
    std::jthread producer([&] { refused = !queue.Push(2); });
    queue.Close();  // before the producer waits or while it does; both must end
  }
  EXPECT_TRUE(refused);
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueueTest, CloseWakesEveryConsumerThatWaitsForAnItem) {
  BoundedQueue<int> queue(1);
  std::atomic<int> ended = 0;
  {
    std::vector<std::jthread> consumers;
    for (int i = 0; i < 4; ++i) {
      consumers.emplace_back([&] {
        while (queue.Pop()) {
        }
        ++ended;
      });
    }
    queue.Close();
  }
  EXPECT_EQ(ended, 4);
}

TEST(BoundedQueueTest, ManyProducersAndConsumersLoseAndDoubleNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  BoundedQueue<int> queue(8);
  std::vector<std::atomic<int>> seen(kThreads * kEach);
  {
    std::vector<std::jthread> consumers;
    for (int i = 0; i < kThreads; ++i) {
      consumers.emplace_back([&] {
        while (const auto item = queue.Pop()) ++seen[static_cast<size_t>(*item)];
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int p = 0; p < kThreads; ++p) {
        producers.emplace_back([&, p] {
          for (int i = 0; i < kEach; ++i) EXPECT_TRUE(queue.Push(p * kEach + i));
        });
      }
    }
    queue.Close();
  }
  for (const auto& count : seen) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace tome
