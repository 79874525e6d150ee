#include "tome/formats/checkpoint.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "tests/expect_error.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/temp_folder.h"
#include "tome/formats/gguf_reader.h"

namespace tome {
namespace {

std::string Shard(uint32_t number, uint32_t count, std::string_view tensor, int32_t tensors) {
  GgufBytes file;
  file.pairs = {GgufPairOf("split.no", 2, Raw(static_cast<uint16_t>(number))),
                GgufPairOf("split.count", 2, Raw(static_cast<uint16_t>(count))),
                GgufPairOf("split.tensors.count", 5, Raw(tensors))};
  if (number == 0) file.pairs.push_back(GgufPairOf("general.name", 8, RawString("whole")));
  file.tensors = {GgufTensorOf(tensor, {1}, 0, 0)};
  file.data = Raw(static_cast<float>(number));
  return file.Build();
}

TEST(Checkpoint, BindsByNameAndShape) {
  const TempFolder folder;
  const Checkpoint checkpoint = Checkpoint::Open(folder.Write("m.gguf", SmallGguf().Build()));
  EXPECT_EQ(checkpoint.container(), Container::kGguf);
  EXPECT_EQ(checkpoint.tensor_bytes(), 32);
  EXPECT_EQ(checkpoint.Bind("a.weight", {2, 3}).dtype, DType::kF32);
  EXPECT_EQ(checkpoint.Find("c.weight"), nullptr);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { checkpoint.Bind("c.weight", {2, 3}); }));
  const std::string text = ErrorText([&] { checkpoint.Bind("a.weight", {3, 2}); });
  EXPECT_NE(text.find("[2, 3]"), std::string::npos) << text;
  EXPECT_NE(text.find("[3, 2]"), std::string::npos) << text;
}

TEST(Checkpoint, ErrorsBeginWithTheFile) {
  const TempFolder folder;
  const auto path = folder.Write("broken.gguf", "GGUF");
  const std::string text = ErrorText([&] { Checkpoint::Open(path); });
  EXPECT_EQ(text.find("corrupt: " + path.string() + ": version"), 0U) << text;
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Checkpoint::Open(folder / "none.gguf"); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Checkpoint::Open(folder.Write("empty.gguf", "")); }));
  EXPECT_TRUE(Fails(Code::kUnsupported,
                    [&] { Checkpoint::Open(folder.Write("pytorch_model.bin", "PK")); }));
}

TEST(Checkpoint, ShardsOpenByAnyOfThem) {
  const TempFolder folder;
  folder.Write("m-00001-of-00002.gguf", Shard(0, 2, "a", 2));
  folder.Write("m-00002-of-00002.gguf", Shard(1, 2, "b", 2));
  for (const char* name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}) {
    const Checkpoint checkpoint = Checkpoint::Open(folder / name);
    EXPECT_EQ(checkpoint.tensors().size(), 2U);
    EXPECT_EQ(checkpoint.metadata().String("general.name"), "whole");
  }
  EXPECT_EQ(Checkpoint::Open(folder.path()).tensors().size(), 2U);  // the only model of the folder
}

TEST(Checkpoint, ShardsThatDoNotBelongTogether) {
  const auto fails = [](Code code, const std::string& first, const std::string& second) {
    const TempFolder folder;
    folder.Write("m-00002-of-00002.gguf", second);
    const auto path = folder.Write("m-00001-of-00002.gguf", first);
    return Fails(code, [&] { Checkpoint::Open(path); });
  };
  const std::string first = Shard(0, 2, "a", 2);
  EXPECT_TRUE(fails(Code::kCorrupt, first, Shard(1, 2, "a", 2)));                // duplicate "a"
  EXPECT_TRUE(fails(Code::kCorrupt, first, Shard(0, 2, "b", 2)));                // shard number
  EXPECT_TRUE(fails(Code::kCorrupt, first, Shard(1, 3, "b", 2)));                // shard count
  EXPECT_TRUE(fails(Code::kCorrupt, Shard(0, 2, "a", 3), Shard(1, 2, "b", 3)));  // tensor count
  const TempFolder folder;
  const auto lonely = folder.Write("m-00001-of-00002.gguf", first);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Checkpoint::Open(lonely); }));
  const auto renamed = folder.Write("renamed.gguf", first);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Checkpoint::Open(renamed); }));
  const auto impossible = folder.Write("m-00003-of-00002.gguf", first);
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Checkpoint::Open(impossible); }));
}

TEST(Checkpoint, AFolderOfSeveralModelsAsksForOne) {
  const TempFolder folder;
  folder.Write("one.gguf", SmallGguf().Build());
  EXPECT_EQ(Checkpoint::Open(folder.path()).tensors().size(), 2U);
  folder.Write("two.gguf", SmallGguf().Build());
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Checkpoint::Open(folder.path()); }));
  const TempFolder empty;
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Checkpoint::Open(empty.path()); }));
}

TEST(GgufShards, OnlyNamesOfThatForm) {
  EXPECT_EQ(GgufShards("d/m-00001-of-00003.gguf").size(), 3U);
  EXPECT_EQ(GgufShards("d/m-00002-of-00003.gguf").front(), "d/m-00001-of-00003.gguf");
  for (const char* name :
       {"m.gguf", "m-0001-of-00003.gguf", "m-00001-of-00003.bin", "m-0000x-of-00003.gguf",
        "m-0-001-of-00003.gguf", "-00001-of-00002.gguf"}) {
    EXPECT_EQ(GgufShards(name).size(), 1U) << name;
  }
}

TEST(Metadata, OtherKindsAreErrorsThatNameTheKey) {
  Metadata metadata;
  metadata.Set("n", int64_t{3});
  metadata.Set("s", std::string("text"));
  EXPECT_EQ(metadata.Int("n"), 3);
  EXPECT_EQ(metadata.Float("n"), 3.0);
  EXPECT_EQ(metadata.Int("none"), std::nullopt);
  EXPECT_EQ(metadata.Strings("none"), nullptr);
  const std::string text = ErrorText([&] { (void)metadata.Int("s"); });
  EXPECT_EQ(text, "corrupt: metadata s: is a string where an integer is expected");
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { (void)metadata.Ints("n"); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { (void)metadata.Bool("n"); }));
}

TEST(Checkpoint, VocabularyFilesOfLlamaCppOpen) {
  const char* shared = std::getenv("TOME_SHARED");
  const std::filesystem::path folder =
      std::filesystem::path(shared != nullptr ? shared : TOME_SHARED) / "data/vocab";
  if (!std::filesystem::exists(folder)) {
    ASSERT_STRNE(std::getenv("CI"), "true") << folder << " is missing";
    GTEST_SKIP() << folder << " is missing";
  }
  const std::pair<const char*, size_t> vocabularies[]{{"ggml-vocab-bert-bge.gguf", 30522},
                                                      {"ggml-vocab-deepseek-llm.gguf", 102400},
                                                      {"ggml-vocab-gpt-2.gguf", 50257},
                                                      {"ggml-vocab-llama-spm.gguf", 32000}};
  for (const auto& [name, tokens] : vocabularies) {
    const Checkpoint checkpoint = Checkpoint::Open(folder / name);
    EXPECT_TRUE(checkpoint.tensors().empty());
    ASSERT_NE(checkpoint.metadata().Strings("tokenizer.ggml.tokens"), nullptr) << name;
    EXPECT_EQ(checkpoint.metadata().Strings("tokenizer.ggml.tokens")->size(), tokens) << name;
  }
}

}  // namespace
}  // namespace tome
