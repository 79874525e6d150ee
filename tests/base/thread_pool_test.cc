#include "tome/base/thread_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tome {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {
 protected:
  ThreadPool pool_{GetParam()};
};

TEST_P(ThreadPoolTest, CountsTheCaller) { EXPECT_EQ(pool_.threads(), GetParam()); }

TEST_P(ThreadPoolTest, RunsEachTaskExactlyOnceWithAWorkerInRange) {
  for (const int64_t tasks : {0, 1, 2, 3, 7, 100, 10000}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
    std::atomic<int> strangers{0};
    pool_.ParallelFor(tasks, [&](int64_t task, int worker) {
      runs.at(static_cast<size_t>(task)).fetch_add(1);
      if (worker < 0 || worker >= pool_.threads()) strangers.fetch_add(1);
    });
    for (const auto& count : runs) ASSERT_EQ(count.load(), 1);
    EXPECT_EQ(strangers.load(), 0);
  }
}

TEST_P(ThreadPoolTest, AWorkersScratchIsItsOwn) {
  // The sums of each worker are not synchronized, so that the thread sanitizer would report a race.
  std::vector<int64_t> sums(static_cast<size_t>(pool_.threads()));
  for (int loop = 0; loop < 50; ++loop) {
    pool_.ParallelFor(100,
                      [&](int64_t task, int worker) { sums[static_cast<size_t>(worker)] += task; });
  }
  int64_t total = 0;
  for (const int64_t sum : sums) total += sum;
  EXPECT_EQ(total, 50 * (99 * 100 / 2));
}

TEST_P(ThreadPoolTest, WritesOfTasksAreSeenByTheCaller) {
  std::vector<int64_t> squares(1000);
  for (int loop = 1; loop <= 200; ++loop) {
    pool_.ParallelFor(
        1000, [&](int64_t task, int) { squares[static_cast<size_t>(task)] = task * task + loop; });
    for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(squares[static_cast<size_t>(i)], i * i + loop);
  }
}

TEST_P(ThreadPoolTest, NoTasksCallNothing) {
  for (const int64_t tasks : {0, -1}) {
    pool_.ParallelFor(tasks, [](int64_t, int) { ADD_FAILURE() << "called"; });
  }
}

TEST_P(ThreadPoolTest, AnExceptionReachesTheCallerAndThePoolWorksAfterwards) {
  for (int round = 0; round < 50; ++round) {
    for (const int64_t bad : {0, 17, 99}) {
      std::atomic<int> after{0};
      try {
        pool_.ParallelFor(100, [&](int64_t task, int) {
          if (task == bad) throw std::runtime_error("task " + std::to_string(task));
          after.fetch_add(1);
        });
        ADD_FAILURE() << "no exception";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "task " + std::to_string(bad));
      }
      EXPECT_LE(after.load(), 99);
      std::atomic<int> runs{0};
      pool_.ParallelFor(100, [&](int64_t, int) { runs.fetch_add(1); });
      ASSERT_EQ(runs.load(), 100);
    }
  }
}

TEST_P(ThreadPoolTest, OneExceptionOfManyIsThrownAndTheRestIsLeftOut) {
  std::atomic<int> begun{0};
  EXPECT_THROW(pool_.ParallelFor(100000,
                                 [&](int64_t, int) {
                                   begun.fetch_add(1);
                                   throw std::runtime_error("every task fails");
                                 }),
               std::runtime_error);
  // Each thread may have begun a task before it saw that another had failed, and a few more tasks
  // may begin between the exception and its recording. Never do all begin.
  EXPECT_GE(begun.load(), 1);
  EXPECT_LT(begun.load(), 100000);
}

TEST_P(ThreadPoolTest, SeveralCallersAtOnceEachGetTheirOwnLoop) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int loop = 0; loop < 100; ++loop) {
        std::atomic<int64_t> sum{0};
        const int64_t tasks = 1 + (caller * 37 + loop) % 60;
        pool_.ParallelFor(tasks, [&](int64_t task, int) { sum.fetch_add(task + 1); });
        if (sum.load() != tasks * (tasks + 1) / 2) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
}

// The loops are so short that workers come when all tasks are taken, or when the next loop has
// begun.
TEST_P(ThreadPoolTest, ManyShortLoopsOfTwoCallersRunEachTaskOnce) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 2; ++caller) {
    callers.emplace_back([&, caller] {
      // The counts are reused without a pause: a late worker would write into those of the next
      // loop.
      std::array<std::atomic<int>, 8> runs{};
      for (int loop = 0; loop < 2000; ++loop) {
        const int tasks = 1 + (loop + caller) % 8;
        for (auto& count : runs) count.store(0);
        pool_.ParallelFor(
            tasks, [&](int64_t task, int) { runs.at(static_cast<size_t>(task)).fetch_add(1); });
        for (int task = 0; task < 8; ++task) {
          if (runs.at(static_cast<size_t>(task)).load() != (task < tasks ? 1 : 0)) {
            wrong.fetch_add(1);
          }
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
}

// Workers look for loops for 0.1 ms, and then they sleep.
TEST_P(ThreadPoolTest, WorksAfterAnyPause) {
  for (const int microseconds : {50000, 1000, 100, 50, 150, 100, 99, 50000}) {
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    std::array<std::atomic<int>, 20> runs{};
    pool_.ParallelFor(20,
                      [&](int64_t task, int) { runs.at(static_cast<size_t>(task)).fetch_add(1); });
    for (const auto& count : runs) ASSERT_EQ(count.load(), 1);
  }
}

// All workers come, asleep or not: the tasks wait for each other, so they need every thread.
TEST_P(ThreadPoolTest, WakesEveryWorker) {
  for (const int pause : {0, 5}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    std::atomic<int> arrived{0};
    pool_.ParallelFor(GetParam(), [&](int64_t, int) {
      arrived.fetch_add(1);
      while (arrived.load() < GetParam()) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThreadPoolTest, testing::Values(1, 2, 3, 4));

TEST(ThreadPoolOfOneTest, RunsInPlaceInOrder) {
  ThreadPool pool(1);
  std::vector<int64_t> order;
  const std::thread::id self = std::this_thread::get_id();
  pool.ParallelFor(5, [&](int64_t task, int) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    order.push_back(task);
  });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(ThreadPoolOfTwoTest, TwoTasksThatWaitForEachOtherFinish) {
  ThreadPool pool(2);
  std::atomic<int> arrived{0};
  pool.ParallelFor(2, [&](int64_t, int) {
    arrived.fetch_add(1);
    while (arrived.load() < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 2);
}

TEST(ThreadPoolLifeTest, EndsWithoutEverHavingWorked) {
  for (int i = 0; i < 50; ++i) {
    const ThreadPool pool(1 + i % 4);
    EXPECT_GE(pool.threads(), 1);
  }
}

TEST(ThreadPoolLifeTest, EndsWhileItsWorkersLookForWorkAndWhileTheySleep) {
  for (int i = 0; i < 60; ++i) {
    std::atomic<int> runs{0};
    {
      ThreadPool pool(1 + i % 4);
      pool.ParallelFor(8, [&](int64_t, int) { runs.fetch_add(1); });
      if (i % 3 == 1) std::this_thread::sleep_for(std::chrono::microseconds(90 + i));
      if (i % 3 == 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(runs.load(), 8);
  }
}

TEST(ProcessorCountTest, IsPositive) { EXPECT_GE(ProcessorCount(), 1); }

TEST(FunctionRefTest, CallsTheCallableItselfAndGivesItsResult) {
  int calls = 0;
  auto count = [&calls](int add) mutable { return calls += add; };
  const FunctionRef<int(int)> reference(count);
  EXPECT_EQ(reference(2), 2);
  EXPECT_EQ(reference(3), 5);
  EXPECT_EQ(calls, 5);
  static_assert(!std::is_constructible_v<FunctionRef<int(int)>, std::string>);
  int left = 1;
  const auto pass = [](FunctionRef<void(int&)> change, int& value) { change(value); };
  pass([](int& value) { value = 9; }, left);
  EXPECT_EQ(left, 9);
}

}  // namespace
}  // namespace tome
