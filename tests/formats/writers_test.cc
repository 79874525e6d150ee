#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/scoped_file_limit.h"
#include "tests/temp_folder.h"
#include "tome/formats/checkpoint.h"
#include "tome/formats/gguf_types.h"
#include "tome/formats/gguf_writer.h"
#include "tome/formats/recode.h"
#include "tome/formats/safetensors_writer.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

std::vector<std::byte> RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

const std::vector<TensorPlan> kPlans{{"a.weight", DType::kQ4_K, {3, 512}},
                                     {"b.bias", DType::kF32, {5}},
                                     {"c.weight", DType::kF16, {2, 3, 7}},
                                     {"d", DType::kI8, {33}}};

size_t FilesIn(const TempFolder& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path()),
                                           std::filesystem::directory_iterator()));
}

TEST(GgufWriter, WhatIsWrittenIsRead) {
  const TempFolder folder;
  GgufPairs pairs;
  pairs.SetString("general.architecture", "llama");
  pairs.SetUint32("n", 7);
  pairs.SetUint32("n", 4294967295);  // replaces the 7
  pairs.SetFloat32("f", 0.1F);
  pairs.SetBool("b", true);
  pairs.SetStrings("s", std::vector<std::string>{"", "x\n", "中"});
  pairs.SetInt32s("i", std::vector<int32_t>{-1, 2});
  pairs.SetFloat32s("fs", std::vector<float>{1.5F});
  GgufWriter writer(folder / "m.gguf", pairs, kPlans);
  std::vector<std::vector<std::byte>> data;
  for (const TensorPlan& plan : kPlans) {
    data.push_back(RandomBytes(static_cast<size_t>(plan.bytes()), 1));
    const std::span<const std::byte> bytes = data.back();
    writer.Write(bytes.first(3));
    writer.Write(bytes.subspan(3));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "m.gguf"));
  writer.Finish();
  EXPECT_EQ(FilesIn(folder), 1U);
  const Checkpoint checkpoint = Checkpoint::Open(folder / "m.gguf");
  EXPECT_EQ(checkpoint.metadata().Int("n"), 4294967295);
  EXPECT_EQ(checkpoint.metadata().Float("f"), double{0.1F});
  EXPECT_EQ(checkpoint.metadata().Bool("b"), true);
  EXPECT_EQ(checkpoint.metadata().Strings("s")->at(2), "中");
  EXPECT_EQ(*checkpoint.metadata().Ints("i"), (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(*checkpoint.metadata().Floats("fs"), (std::vector<double>{1.5}));
  for (size_t i = 0; i < kPlans.size(); ++i) {
    const TensorView tensor = checkpoint.Bind(kPlans[i].name, kPlans[i].shape);
    EXPECT_EQ(tensor.dtype, kPlans[i].dtype);
    EXPECT_TRUE(std::equal(data[i].begin(), data[i].end(), tensor.raw().begin()));
  }
}

TEST(GgufWriter, CopiesPairsByteForByte) {
  const std::string source = SmallGguf().Build();
  const GgufFile file = ParseGguf(AsBytes(source));
  GgufPairs pairs;
  for (const GgufPair& pair : file.pairs) pairs.Copy(pair);
  EXPECT_TRUE(pairs.Has("llama.eps"));
  const TempFolder folder;
  std::vector<TensorPlan> plans;
  for (const GgufTensor& tensor : file.tensors) {
    plans.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  GgufWriter writer(folder / "copy.gguf", pairs, plans);
  for (const GgufTensor& tensor : file.tensors) writer.Write(tensor.data);
  writer.Finish();
  std::string expected = source;
  expected.resize((expected.size() + 31) / 32 * 32);  // the last tensor is padded too
  EXPECT_EQ(FileBytes(folder / "copy.gguf"), expected);
}

TEST(GgufWriter, ACopyOfAnotherAlignmentIsRead) {
  GgufBytes source = SmallGguf();
  source.pairs.push_back(GgufPairOf("general.alignment", 4, Raw(uint32_t{64})));
  const std::string bytes = [&] {
    source.alignment = 64;
    source.tensors.pop_back();
    return source.Build();
  }();
  const GgufFile file = ParseGguf(AsBytes(bytes));
  GgufPairs pairs;
  for (const GgufPair& pair : file.pairs) pairs.Copy(pair);
  const TempFolder folder;
  GgufWriter writer(folder / "m.gguf", pairs, {{"a", DType::kF32, {1}}, {"b", DType::kF32, {1}}});
  writer.Write(file.tensors[0].data.first(4));
  writer.Write(file.tensors[0].data.first(4));
  writer.Finish();
  EXPECT_EQ(Checkpoint::Open(folder / "m.gguf").tensors().size(), 2U);
}

TEST(GgufWriter, LeavesNothingWhenItDoesNotFinish) {
  const TempFolder folder;
  {
    GgufWriter writer(folder / "m.gguf", {}, kPlans);
    writer.Write(RandomBytes(100, 1));
  }
  EXPECT_EQ(FilesIn(folder), 0U);
  const auto fails = [&](const TensorPlan& plan) {
    return ErrorText([&] { GgufWriter(folder / "m.gguf", {}, {plan}); });
  };
  EXPECT_EQ(fails({"u", DType::kU8, {3}}).find("unsupported: tensor \"u\""), 0U);
  EXPECT_EQ(fails({"", DType::kF32, {3}}).find("invalid_argument"), 0U);
  EXPECT_EQ(fails({"e", DType::kF32, {0}}).find("invalid_argument"), 0U);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    GgufWriter(folder / "m.gguf", {}, {kPlans[1], kPlans[1]});
  }));
  EXPECT_EQ(FilesIn(folder), 0U);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { GgufWriter(folder / "no/m.gguf", {}, {}); }));
}

TEST(GgufWriter, AFullDiskIsAClearError) {
  // /dev/full cannot be a target, because files are renamed, and a full file system can be
  // simulated only with privileges. The limit on file sizes takes the same path.
  const TempFolder folder;
  std::string text;
  {
    const ScopedFileLimit limit(4096);
    ASSERT_TRUE(limit.set());
    text = ErrorText([&] {
      GgufWriter writer(folder / "m.gguf", {}, {{"a", DType::kF32, {4096}}});
      writer.Write(RandomBytes(16384, 1));
      writer.Finish();
    });
  }
  EXPECT_EQ(text.find("io: " + (folder / "m.gguf").string()), 0U) << text;
  EXPECT_EQ(FilesIn(folder), 0U);
}

TEST(SafetensorsFolderWriter, ShardsByBytesWithAnIndex) {
  const TempFolder folder;
  const std::vector<TensorPlan> plans{{"a", DType::kF32, {10}},
                                      {"b", DType::kF32, {15}},
                                      {"c", DType::kF32, {100}},
                                      {"d", DType::kF16, {1}},
                                      {"e", DType::kF32, {0}}};
  SafetensorsFolderWriter writer(folder.path(), plans, {{"format", "pt"}}, 100);
  std::vector<std::vector<std::byte>> data;
  for (const TensorPlan& plan : plans) {
    data.push_back(RandomBytes(static_cast<size_t>(plan.bytes()), 2));
    writer.Write(data.back());
  }
  writer.Finish();
  // The tensors a and b fill the first file exactly; c exceeds the limit and gets a file of its
  // own.
  const auto index = nlohmann::json::parse(std::ifstream(folder / "model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], 502);
  EXPECT_EQ(index["weight_map"]["b"], "model-00001-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["c"], "model-00002-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["d"], "model-00003-of-00003.safetensors");
  EXPECT_EQ(FilesIn(folder), 4U);
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  EXPECT_EQ(checkpoint.metadata().String("format"), "pt");
  for (size_t i = 0; i < plans.size(); ++i) {
    const TensorView tensor = checkpoint.Bind(plans[i].name, plans[i].shape);
    EXPECT_TRUE(std::equal(data[i].begin(), data[i].end(), tensor.raw().begin()));
  }
  EXPECT_TRUE(Fails(Code::kInvalidArgument,
                    [&] { SafetensorsFolderWriter(folder.path(), plans, {}, 100); }));
}

TEST(SafetensorsFolderWriter, OneFileWhereAllFits) {
  const TempFolder folder;
  SafetensorsFolderWriter writer(folder.path(), {{"a", DType::kU8, {3}}}, {});
  writer.Write(RandomBytes(3, 3));
  writer.Finish();
  EXPECT_EQ(FilesIn(folder), 1U);
  EXPECT_EQ(Checkpoint::Open(folder / "model.safetensors").tensors().size(), 1U);
}

TEST(AssignTypes, MatricesVectorsAndThoseThatDoNotFit) {
  std::vector<TensorPlan> plans{{"token_embd.weight", DType::kF16, {100, 512}},
                                {"output.weight", DType::kF16, {100, 512}},
                                {"blk.0.attn_q.weight", DType::kBF16, {512, 512}},
                                {"blk.0.attn_norm.weight", DType::kBF16, {512}},
                                {"blk.0.attn_q.bias", DType::kF16, {512}},
                                {"blk.0.ffn_down.weight", DType::kF32, {512, 864}},
                                {"blk.0.odd.weight", DType::kF32, {512, 100}},
                                {"blk.0.ssm_a", DType::kF32, {512, 256}},
                                {"blk.0.ssm_conv1d.weight", DType::kF32, {512, 256}},
                                {"ids", DType::kI32, {512, 512}}};
  const auto notes = AssignTypes(DType::kQ4_K, plans);
  std::vector<DType> types;
  for (const TensorPlan& plan : plans) types.push_back(plan.dtype);
  EXPECT_EQ(types,
            (std::vector<DType>{DType::kQ6_K, DType::kQ6_K, DType::kQ4_K, DType::kF32, DType::kF32,
                                DType::kQ8_0, DType::kF16, DType::kF32, DType::kF32, DType::kI32}));
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_NE((notes[0] + notes[1]).find("864"), std::string::npos);
  AssignTypes(DType::kQ4_0, plans);
  EXPECT_EQ(plans[0].dtype, DType::kQ4_0);
}

TEST(Recode, ManyRowsEqualTheCodecRowByRow) {
  // The tensor has more rows than one piece holds.
  constexpr int64_t kRows = 5000;
  Tensor source(DType::kF32, {kRows, 1024});
  std::mt19937 random(6);
  for (float& value : source.floats()) value = static_cast<float>(random()) * 0x1p-31F - 1;
  ThreadPool pool(3);
  std::vector<std::byte> recoded;
  int pieces = 0;
  RecodeTensor(source.view(), DType::kQ8_0, pool, [&](std::span<const std::byte> bytes) {
    recoded.insert(recoded.end(), bytes.begin(), bytes.end());
    ++pieces;
  });
  EXPECT_GT(pieces, 1);
  std::vector<std::byte> row(1024 / 32 * 34);
  ASSERT_EQ(recoded.size(), row.size() * kRows);
  for (int64_t r = 0; r < kRows; ++r) {
    EncodeRow(DType::kQ8_0, source.floats().subspan(static_cast<size_t>(r) * 1024, 1024),
              row.data());
    ASSERT_TRUE(
        std::equal(row.begin(), row.end(), recoded.begin() + r * static_cast<int64_t>(row.size())));
  }
}

TEST(Recode, WhatF16CannotHoldIsAnError) {
  Tensor source(DType::kF32, {1, 2});
  source.floats()[1] = 70000;
  ThreadPool pool(1);
  const auto recode = [&](DType dtype) {
    RecodeTensor(source.view(), dtype, pool, [](std::span<const std::byte>) {});
  };
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { recode(DType::kF16); }));
  recode(DType::kBF16);
}

}  // namespace
}  // namespace tome
