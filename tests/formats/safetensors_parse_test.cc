#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/expect_error.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/temp_folder.h"
#include "tome/formats/checkpoint.h"
#include "tome/formats/safetensors.h"

namespace tome {
namespace {

std::string File(std::string_view header, std::string_view data) {
  return Raw(uint64_t{header.size()}).append(header).append(data);
}

constexpr std::string_view kSmallHeader =
    R"({"__metadata__":{"format":"pt"},)"
    R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]},)"
    R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}  )";
const std::string kData(28, '\1');

testing::AssertionResult Refuses(std::string_view header, std::string_view data = kData,
                                 Code code = Code::kCorrupt) {
  const std::string bytes = File(header, data);
  return Fails(code, [&] { ParseSafetensors(AsBytes(bytes)); });
}

// Returns a header of one tensor "a" with these fields.
std::string Header(std::string_view fields) { return R"({"a":{)" + std::string(fields) + "}}"; }

TEST(ParseSafetensors, ASmallFile) {
  const std::string bytes = File(kSmallHeader, kData);
  const SafetensorsFile file = ParseSafetensors(AsBytes(bytes));
  EXPECT_EQ(file.metadata.at("format"), "pt");
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_EQ(file.tensors[0].shape, (Shape{2, 3}));
  EXPECT_EQ(file.tensors[1].dtype, DType::kBF16);
  EXPECT_EQ(file.tensors[1].data.data(), AsBytes(bytes).data() + bytes.size() - 4);
}

TEST(ParseSafetensors, EmptyTensorsAndScalars) {
  const std::string bytes = File(R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                                 R"("s":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                                 R"("z":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
                                 "12345678");
  EXPECT_EQ(ParseSafetensors(AsBytes(bytes)).tensors.size(), 3U);
  const std::string none = File("{}", "");
  EXPECT_TRUE(ParseSafetensors(AsBytes(none)).tensors.empty());
}

TEST(ParseSafetensors, TruncatedAnywhereIsAnError) {
  const std::string bytes = File(kSmallHeader, kData);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    ASSERT_TRUE(Fails(Code::kCorrupt, [&] { ParseSafetensors(AsBytes(cut)); })) << size;
  }
}

TEST(ParseSafetensors, AnyChangedByteIsAnErrorOrAFileThatKeepsItsPromises) {
  const std::string bytes = File(kSmallHeader, kData);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      try {
        size_t covered = 0;
        for (const auto& tensor : ParseSafetensors(AsBytes(changed)).tensors) {
          EXPECT_EQ(static_cast<int64_t>(tensor.data.size()),
                    tensor.shape.elements() * TraitsOf(tensor.dtype).block_bytes);
          covered += tensor.data.size();
        }
        EXPECT_EQ(covered, kData.size());
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == Code::kCorrupt || error.code() == Code::kUnsupported);
      }
    }
  }
}

TEST(ParseSafetensors, SizesOfTheHeader) {
  const std::string good = File(kSmallHeader, kData);
  for (const uint64_t size :
       {uint64_t{0}, uint64_t{1}, uint64_t{good.size()}, kMaxSafetensorsHeader + 1, ~uint64_t{0}}) {
    std::string bytes = good;
    bytes.replace(0, 8, Raw(size));
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { ParseSafetensors(AsBytes(bytes)); })) << size;
  }
}

TEST(ParseSafetensors, HeadersThatAreNone) {
  EXPECT_TRUE(Refuses(" {}", ""));
  EXPECT_TRUE(Refuses("[]", ""));
  EXPECT_TRUE(Refuses("{}x", ""));
  EXPECT_TRUE(Refuses("{\"a\xFF\":{}}", ""));
  EXPECT_TRUE(Refuses(R"({"a":null})", ""));
  EXPECT_TRUE(Refuses(R"({"a":7})", ""));
  EXPECT_TRUE(Refuses(R"({"a":"text"})", ""));
  EXPECT_TRUE(Refuses(R"({"a":[1]})", ""));
  EXPECT_TRUE(Refuses(R"({"a":{}})", ""));
  EXPECT_TRUE(Refuses(R"({"__metadata__":{"k":1}})", ""));
  EXPECT_TRUE(Refuses(R"({"__metadata__":{"k":{"l":"m"}}})", ""));
}

TEST(ParseSafetensors, AZeroByteIsNotTheEndOfTheHeader) {
  const std::string header(kSmallHeader);
  EXPECT_NO_THROW(ParseSafetensors(AsBytes(File(header + " ", kData))));
  EXPECT_TRUE(
      Fails(Code::kCorrupt, [&] { ParseSafetensors(AsBytes(File(header + '\0', kData))); }));
}

TEST(ParseSafetensors, DeepNesting) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[');
  EXPECT_TRUE(Refuses(deep, ""));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(Refuses(objects, ""));
  EXPECT_TRUE(Refuses(Header(R"("dtype":"F32","shape":[[7]],"data_offsets":[0,28])")));
}

TEST(ParseSafetensors, KeysThatStandTwice) {
  constexpr std::string_view kTensor = R"({"dtype":"F32","shape":[7],"data_offsets":[0,28]})";
  const std::string text(kTensor);
  EXPECT_TRUE(Refuses(R"({"a":)" + text + R"(,"a":)" + text + "}"));
  EXPECT_TRUE(Refuses(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
                      R"("a":{"dtype":"F32","shape":[4],"data_offsets":[12,28]}})"));
  EXPECT_TRUE(Refuses(Header(R"("dtype":"F32","dtype":"F32","shape":[7],"data_offsets":[0,28])")));
  EXPECT_TRUE(Refuses(Header(R"("dtype":"F32","shape":[7],"shape":[7],"data_offsets":[0,28])")));
  EXPECT_TRUE(
      Refuses(Header(R"("dtype":"F32","shape":[7],"data_offsets":[0,28],"data_offsets":[0,28])")));
  EXPECT_TRUE(Refuses(R"({"__metadata__":{"k":"1","k":"2"}})", ""));
}

TEST(ParseSafetensors, FieldsOfATensor) {
  EXPECT_TRUE(Refuses(Header(R"("shape":[7],"data_offsets":[0,28])")));
  EXPECT_TRUE(Refuses(Header(R"("dtype":"F32","data_offsets":[0,28])")));
  EXPECT_TRUE(Refuses(Header(R"("dtype":"F32","shape":[7])")));
  for (const char* dtype : {"Q4_0", "f32", "", "BOOL"}) {
    const std::string fields =
        "\"dtype\":\"" + std::string(dtype) + R"(","shape":[7],"data_offsets":[0,28])";
    EXPECT_TRUE(Refuses(Header(fields), kData, Code::kUnsupported)) << dtype;
  }
  for (const char* shape :
       {"[6]", "[8]", "[7,0]", "[-7]", "[7.0]", "[7e0]", "[\"7\"]", "[null]",
        "[18446744073709551615]", "[99999999999999999999]", "7",
        "[4294967296,4294967296,4294967296]", "[1,1,1,1,7]", "[4611686018427387904]"}) {
    const std::string fields =
        R"("dtype":"F32","shape":)" + std::string(shape) + R"(,"data_offsets":[0,28])";
    EXPECT_TRUE(Refuses(Header(fields))) << shape;
  }
  for (const char* offsets : {"[0]", "[0,28,28]", "[28,0]", "[0,29]", "[4,32]", "[-1,27]", "[]",
                              "[0,9223372036854775807]", "[18446744073709551615,27]", "28"}) {
    const std::string fields =
        R"("dtype":"F32","shape":[7],"data_offsets":)" + std::string(offsets);
    EXPECT_TRUE(Refuses(Header(fields))) << offsets;
  }
}

TEST(ParseSafetensors, HolesOverlapsAndBytesBehind) {
  const auto two = [](const char* a, const char* b) {
    return R"({"a":{"dtype":"U8","shape":[10],"data_offsets":)" + std::string(a) +
           R"(},"b":{"dtype":"U8","shape":[10],"data_offsets":)" + std::string(b) + "}}";
  };
  const std::string data(20, 'x');
  EXPECT_FALSE(Refuses(two("[0,10]", "[10,20]"), data));
  EXPECT_FALSE(Refuses(two("[10,20]", "[0,10]"), data));
  EXPECT_TRUE(Refuses(two("[0,10]", "[9,19]"), data));
  EXPECT_TRUE(Refuses(two("[0,10]", "[0,10]"), data));
  EXPECT_TRUE(Refuses(two("[0,10]", "[11,21]"), data + "y"));
  EXPECT_TRUE(Refuses(two("[1,11]", "[11,21]"), data + "y"));
  EXPECT_TRUE(Refuses(two("[0,10]", "[10,20]"), data + "y"));
}

class SafetensorsFolder : public testing::Test {
 protected:
  static std::string One(const std::string& name) {
    return File(R"({")" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234");
  }
  Checkpoint Open() const { return Checkpoint::Open(folder_.path()); }
  void Index(std::string_view map) const {
    folder_.Write("model.safetensors.index.json", "{\"weight_map\":" + std::string(map) + "}");
  }
  TempFolder folder_;
};

TEST_F(SafetensorsFolder, OpensShardsByTheirIndex) {
  folder_.Write("x.safetensors", One("a"));
  folder_.Write("y.safetensors", One("b"));
  Index(R"({"a":"x.safetensors","b":"y.safetensors"})");
  folder_.Write("config.json", "{\"k\":1}");
  const Checkpoint checkpoint = Open();
  EXPECT_EQ(checkpoint.container(), Container::kSafetensors);
  EXPECT_EQ(checkpoint.tensors().size(), 2U);
  EXPECT_EQ(checkpoint.SideFile("config.json"), "{\"k\":1}");
  EXPECT_EQ(checkpoint.SideFile("tokenizer.json"), "");
  EXPECT_EQ(Checkpoint::Open(folder_ / "model.safetensors.index.json").tensors().size(), 2U);
  folder_.Write("model.safetensors", One("c"));  // preferred to the index
  EXPECT_NE(Open().Find("c"), nullptr);
}

TEST_F(SafetensorsFolder, RefusesAnIndexThatLies) {
  folder_.Write("x.safetensors", One("a"));
  folder_.Write("y.safetensors", One("a"));
  for (const char* map : {R"({"a":"../x.safetensors"})", R"({"a":"/etc/passwd"})", R"({"a":".."})",
                          R"({"a":""})", R"({"a":7})", R"([])", R"({"b":"x.safetensors"})",
                          R"({"a":"x.safetensors","b":"y.safetensors"})"}) {
    Index(map);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); })) << map;
  }
  Index(R"({"a":"z.safetensors"})");
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Open(); }));
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{}"), std::string(100'000, '[')}) {
    folder_.Write("model.safetensors.index.json", text);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); })) << text.substr(0, 10);
  }
}

}  // namespace
}  // namespace tome
