#include "tome/generate/synthetic_memory.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/models/golden_model.h"

namespace tome {
namespace {

// The pages are valid for every type: the logits after them are finite and the same every time.
TEST(SyntheticMemoryTest, CanBeReadBehind) {
  const TempFolder folder;
  ThreadPool threads(2);
  const Compute compute{SelectKernelSet(), threads};
  WriteGoldenModel("llama", folder / "model");
  const auto model =
      LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder / "model")), compute);
  for (const KvType kv : kKvTypes) {
    for (const int64_t tokens : {1, 100, 1024, 2100}) {
      std::vector<float> before;
      for (int time = 0; time < 2; ++time) {
        Memory memory = model->NewMemory({.kv = kv, .max_tokens = tokens + 1});
        FillWithSyntheticTokens(memory, tokens);
        EXPECT_EQ(memory.length(), tokens);
        EXPECT_EQ(memory.kv().PageBytes(0, (tokens - 1) / kKvPageTokens).size(),
                  static_cast<size_t>(memory.kv().page_bytes()));
        const TokenId token = 3;
        const BatchItem item{.memory = &memory, .tokens = {&token, 1}};
        const Tensor logits = model->Forward({&item, 1}, compute);
        for (const float logit : logits.floats()) EXPECT_TRUE(std::isfinite(logit)) << NameOf(kv);
        const std::vector<float> after(logits.floats().begin(), logits.floats().end());
        if (time > 0) {
          EXPECT_EQ(after, before) << NameOf(kv) << " " << tokens;
        }
        before = after;
      }
    }
  }
}

}  // namespace
}  // namespace tome
