#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "tests/expect_error.h"
#include "tests/formats/gguf_bytes.h"
#include "tome/formats/gguf_reader.h"

namespace tome {
namespace {

using testing::AssertionResult;

AssertionResult Refuses(Code code, const std::string& bytes) {
  return Fails(code, [&] { ParseGguf(AsBytes(bytes)); });
}
AssertionResult Refuses(Code code, const GgufBytes& file) { return Refuses(code, file.Build()); }

// Return SmallGguf with one more pair, or with another first tensor.
GgufBytes WithPair(std::string pair) {
  GgufBytes file = SmallGguf();
  file.pairs.push_back(std::move(pair));
  return file;
}
GgufBytes WithTensor(std::string tensor) {
  GgufBytes file = SmallGguf();
  file.tensors[0] = std::move(tensor);
  return file;
}

TEST(ParseGguf, ASmallFile) {
  const std::string bytes = SmallGguf().Build();
  const GgufFile file = ParseGguf(AsBytes(bytes));
  EXPECT_EQ(file.version, 3U);
  EXPECT_EQ(file.metadata.String("general.architecture"), "llama");
  EXPECT_EQ(file.metadata.Int("llama.block_count"), 2);
  EXPECT_EQ(file.metadata.Float("llama.eps"), 0.5);
  EXPECT_EQ(*file.metadata.Strings("tokenizer.ggml.tokens"), (std::vector<std::string>{"a", "bc"}));
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].name, "a.weight");
  EXPECT_EQ(file.tensors[0].shape, (Shape{2, 3}));  // the file has the contiguous one first
  EXPECT_EQ(file.tensors[1].dtype, DType::kF16);
  EXPECT_EQ(file.tensors[1].data.data(), AsBytes(bytes).data() + bytes.size() - 8);
  ASSERT_EQ(file.pairs.size(), 4U);
  EXPECT_EQ(file.pairs[1].key, "llama.block_count");
  EXPECT_EQ(file.pairs[1].encoded.size(), 8U);
}

TEST(ParseGguf, EveryTypeOfValue) {
  GgufBytes file;
  file.pairs = {GgufPairOf("u8", 0, Raw(uint8_t{255})),
                GgufPairOf("i8", 1, Raw(int8_t{-128})),
                GgufPairOf("u16", 2, Raw(uint16_t{65535})),
                GgufPairOf("i16", 3, Raw(int16_t{-32768})),
                GgufPairOf("u32", 4, Raw(uint32_t{4294967295})),
                GgufPairOf("i32", 5, Raw(int32_t{-5})),
                GgufPairOf("bool", 7, Raw(uint8_t{1})),
                GgufPairOf("u64", 10, Raw(uint64_t{1} << 62)),
                GgufPairOf("i64", 11, Raw(std::numeric_limits<int64_t>::min())),
                GgufPairOf("f64", 12, Raw(0.1)),
                GgufArrayOf("i32s", 5, 3, Raw(int32_t{1}) + Raw(int32_t{-2}) + Raw(int32_t{3})),
                GgufArrayOf("f32s", 6, 1, Raw(2.5F)),
                GgufArrayOf("bools", 7, 2, std::string("\1\0", 2)),
                GgufArrayOf("none", 4, 0, "")};
  const std::string bytes = file.Build();
  const Metadata metadata = ParseGguf(AsBytes(bytes)).metadata;
  EXPECT_EQ(metadata.Int("u8"), 255);
  EXPECT_EQ(metadata.Int("i8"), -128);
  EXPECT_EQ(metadata.Int("u16"), 65535);
  EXPECT_EQ(metadata.Int("i16"), -32768);
  EXPECT_EQ(metadata.Int("u32"), 4294967295);
  EXPECT_EQ(metadata.Int("i32"), -5);
  EXPECT_EQ(metadata.Bool("bool"), true);
  EXPECT_EQ(metadata.Int("u64"), int64_t{1} << 62);
  EXPECT_EQ(metadata.Int("i64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(metadata.Float("f64"), 0.1);
  EXPECT_EQ(*metadata.Ints("i32s"), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(*metadata.Floats("f32s"), (std::vector<double>{2.5}));
  EXPECT_EQ(std::get<std::vector<bool>>(*metadata.Find("bools")), (std::vector<bool>{true, false}));
  EXPECT_TRUE(metadata.Ints("none")->empty());
}

TEST(ParseGguf, TruncatedAnywhereIsAnError) {
  const std::string bytes = SmallGguf().Build();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_TRUE(Refuses(Code::kCorrupt, bytes.substr(0, size))) << size;
  }
}

TEST(ParseGguf, AnyChangedByteIsAnErrorOrAFileThatKeepsItsPromises) {
  const std::string bytes = SmallGguf().Build();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      try {
        const GgufFile file = ParseGguf(AsBytes(changed));
        for (const GgufTensor& tensor : file.tensors) {
          EXPECT_EQ(static_cast<int64_t>(tensor.data.size()),
                    RowBytes(tensor.dtype, tensor.shape.row_elements()) * tensor.shape.rows());
          EXPECT_GE(tensor.data.data(), AsBytes(changed).data());
          EXPECT_LE(tensor.data.data() + tensor.data.size(),
                    AsBytes(changed).data() + changed.size());
        }
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == Code::kCorrupt || error.code() == Code::kUnsupported);
      }
    }
  }
}

TEST(ParseGguf, MagicVersionAndByteOrder) {
  GgufBytes file = SmallGguf();
  file.magic = "GGML";
  EXPECT_TRUE(Refuses(Code::kCorrupt, file));
  file = SmallGguf();
  for (const uint32_t version : {0U, 1U, 4U, 0xFFFFFFFFU}) {
    file.version = version;
    EXPECT_TRUE(Refuses(Code::kUnsupported, file)) << version;
  }
  file.version = 3U << 24;  // big-endian 3
  const std::string text = ErrorText([&] { ParseGguf(AsBytes(file.Build())); });
  EXPECT_NE(text.find("big-endian"), std::string::npos) << text;
  file.version = 2;
  EXPECT_EQ(ParseGguf(AsBytes(file.Build())).tensors.size(), 2U);
}

TEST(ParseGguf, CountsBeyondTheFile) {
  for (const int64_t count :
       {int64_t{5}, int64_t{1} << 20, int64_t{1} << 60, std::numeric_limits<int64_t>::max()}) {
    GgufBytes file = SmallGguf();
    file.tensor_count = count;
    EXPECT_TRUE(Refuses(Code::kCorrupt, file)) << count;
    file = SmallGguf();
    file.pair_count = count;
    EXPECT_TRUE(Refuses(Code::kCorrupt, file)) << count;
  }
  // Negative counts are large unsigned numbers, in both fields.
  for (const size_t field : {8U, 16U}) {
    std::string bytes = SmallGguf().Build();
    bytes.replace(field, 8, Raw(int64_t{-1}));
    EXPECT_TRUE(Refuses(Code::kCorrupt, bytes)) << field;
  }
}

TEST(ParseGguf, LimitsOnCountsHoldWhereTheFileIsLarge) {
  GgufBytes file;
  file.pair_count = static_cast<int64_t>(kMaxGgufPairs) + 1;
  file.data.assign((kMaxGgufPairs + 1) * 13, '\0');
  EXPECT_TRUE(Refuses(Code::kCorrupt, file));
  file.pair_count = 0;
  file.tensor_count = static_cast<int64_t>(kMaxGgufTensors) + 1;
  file.data.assign((kMaxGgufTensors + 1) * 24, '\0');
  EXPECT_TRUE(Refuses(Code::kCorrupt, file));
}

TEST(ParseGguf, LengthsOfStrings) {
  for (const uint64_t length : {uint64_t{1000}, uint64_t{1} << 40, ~uint64_t{0}}) {
    EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf("k", 8, Raw(length))))) << length;
    EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(Raw(length) + "key"))) << length;
    EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(Raw(length) + "name"))) << length;
  }
  const std::string long_key(kMaxGgufKeyBytes + 1, 'k');
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf(long_key, 7, "\1"))));
  const std::string long_name(kMaxGgufTensorNameBytes + 1, 'n');
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf(long_name, {3, 2}, 0, 0))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf("", 7, "\1"))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("", {3, 2}, 0, 0))));
}

TEST(ParseGguf, Arrays) {
  for (const uint32_t type : {0U, 4U, 6U, 7U, 8U, 12U}) {
    for (const uint64_t count : {uint64_t{1} << 20, uint64_t{1} << 61, ~uint64_t{0}}) {
      EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufArrayOf("k", type, count, "12345678"))))
          << type << ' ' << count;
    }
  }
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufArrayOf("k", 13, 1, "12345678"))));
  EXPECT_TRUE(Refuses(Code::kUnsupported,
                      WithPair(GgufArrayOf("k", 9, 1, Raw(uint32_t{0}) + Raw(uint64_t{0})))));
  // The limit holds for all arrays together, even where each one is acceptable by itself.
  GgufBytes file;
  const std::string half(kMaxGgufArrayElements / 2 + 1, '\1');
  file.pairs = {GgufArrayOf("a", 0, half.size(), half), GgufArrayOf("b", 0, half.size(), half)};
  EXPECT_TRUE(Refuses(Code::kCorrupt, file));
  file.pairs.pop_back();
  EXPECT_EQ(ParseGguf(AsBytes(file.Build())).metadata.Ints("a")->size(), half.size());
}

TEST(ParseGguf, ValuesThatCannotBe) {
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf("k", 13, "12345678"))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf("k", 7, "\2"))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufArrayOf("k", 7, 1, "\xFF"))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithPair(GgufPairOf("k", 10, Raw(uint64_t{1} << 63)))));
  EXPECT_TRUE(
      Refuses(Code::kCorrupt, WithPair(GgufPairOf("llama.block_count", 4, Raw(uint32_t{3})))));
}

TEST(ParseGguf, Alignment) {
  for (const uint32_t alignment : {0U, 1U, 4U, 24U, 33U, 1U << 21, 1U << 31}) {
    EXPECT_TRUE(
        Refuses(Code::kCorrupt, WithPair(GgufPairOf("general.alignment", 4, Raw(alignment)))))
        << alignment;
  }
  EXPECT_TRUE(
      Refuses(Code::kCorrupt, WithPair(GgufPairOf("general.alignment", 8, RawString("32")))));
  GgufBytes file = WithPair(GgufPairOf("general.alignment", 4, Raw(uint32_t{8})));
  file.alignment = 8;
  file.tensors[1] = GgufTensorOf("b.weight", {4}, 1, 24);
  file.data.erase(24, 8);
  const std::string bytes = file.Build();
  EXPECT_EQ(ParseGguf(AsBytes(bytes)).tensors[1].data.size(), 8U);
}

TEST(ParseGguf, ShapesOfTensors) {
  constexpr uint64_t kHuge = uint64_t{1} << 62;
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {1, 1, 1, 1, 1}, 0, 0))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {3, 0}, 0, 0))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {~uint64_t{0}}, 0, 0))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {kHuge, 4}, 0, 0))));
  // The number of elements fits in 64 bits, the number of bytes does not.
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {kHuge}, 0, 0))));
  // A row of 33 elements is no whole number of Q4_0 blocks.
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {33}, 2, 0))));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(RawString("a") + Raw(~uint32_t{0}))));
  const std::string scalar = WithTensor(GgufTensorOf("a", {}, 0, 0)).Build();
  EXPECT_EQ(ParseGguf(AsBytes(scalar)).tensors[0].shape, Shape{});
}

TEST(ParseGguf, PlacesOfTensors) {
  const auto second = [](uint64_t offset) {
    GgufBytes file = SmallGguf();
    file.tensors[1] = GgufTensorOf("b.weight", {4}, 1, offset);
    return file;
  };
  EXPECT_TRUE(Refuses(Code::kCorrupt, second(33)));                 // not aligned
  EXPECT_TRUE(Refuses(Code::kCorrupt, second(0)));                  // overlaps a
  EXPECT_TRUE(Refuses(Code::kCorrupt, second(64)));                 // beyond the end
  EXPECT_TRUE(Refuses(Code::kCorrupt, second(~uint64_t{0} - 31)));  // offset + size wraps
  EXPECT_TRUE(Refuses(Code::kCorrupt, second(uint64_t{1} << 63)));
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("a", {3, 3}, 0, 0))));  // into b
  EXPECT_TRUE(Refuses(Code::kCorrupt, WithTensor(GgufTensorOf("b.weight", {3, 2}, 0, 0))));
}

TEST(ParseGguf, TypesThatAreNotRead) {
  // The error names 2-bit and importance types by their name, removed and unknown types by their
  // number.
  const std::pair<uint32_t, const char*> cases[]{{10, "Q2_K"},  {16, "IQ2_XXS"}, {20, "IQ4_NL"},
                                                 {39, "MXFP4"}, {4, "type 4"},   {137, "type 137"}};
  for (const auto& [type, name] : cases) {
    const GgufBytes file = WithTensor(GgufTensorOf("blk.0.up", {256, 2}, type, 0));
    const std::string text = ErrorText([&] { ParseGguf(AsBytes(file.Build())); });
    EXPECT_EQ(text.find("unsupported: tensor \"blk.0.up\""), 0U) << text;
    EXPECT_NE(text.find(name), std::string::npos) << text;
  }
}

TEST(ParseGguf, NamesInErrorsAreSafeToPrint) {
  const GgufBytes file = WithPair(GgufPairOf("\x1b[2Jkey\n", 13, ""));
  const std::string text = ErrorText([&] { ParseGguf(AsBytes(file.Build())); });
  EXPECT_NE(text.find("\"?[2Jkey?\""), std::string::npos) << text;
}

}  // namespace
}  // namespace tome
