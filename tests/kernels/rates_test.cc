#include "tome/kernels/rates.h"

#include <gtest/gtest.h>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

class RatesTest : public KernelTest {};

TEST_P(RatesTest, ProbesCountOperationsInProportionToRounds) {
  const RateProbes probes = kernels().rates();
  ASSERT_NE(probes.f32, nullptr);
  for (const RateProbe probe : {probes.f32, probes.bf16, probes.int8}) {
    if (probe == nullptr) continue;
    const int64_t one = probe(1);
    EXPECT_GT(one, 0);
    EXPECT_EQ(probe(7), 7 * one);
    EXPECT_EQ(probe(1000), 1000 * one);
    EXPECT_EQ(probe(0), 0);
  }
}

TEST_P(RatesTest, ProbesAreThereForTheInstructionsOfTheSet) {
  const RateProbes probes = kernels().rates();
  EXPECT_EQ(probes.bf16 != nullptr, HasBF16Dot(kernels()));
  EXPECT_EQ(probes.int8 != nullptr, !IsGeneric(kernels()));
}

INSTANTIATE_TEST_SUITE_P(Sets, RatesTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
