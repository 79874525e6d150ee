// Tests settings that a broken or hostile config.json may hold.
#include "tome/models/decoder_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/models/hf_config.h"

namespace tome {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DecoderConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteGoldenModel("llama", folder_.path());
    json_ = json::parse(ReadText(folder_ / "config.json"));
  }

  DecoderConfig Read(const json& settings) const {
    WriteFile(folder_ / "config.json", settings.dump());
    return ReadDecoderConfig(Checkpoint::Open(folder_.path()), "llama");
  }
  json With(const std::string& key, const json& value) const {
    json changed = json_;
    changed[key] = value;
    return changed;
  }
  json WithRope(json rope) const { return With("rope_scaling", std::move(rope)); }

  void ExpectRefused(const json& settings, const std::string& key,
                     Code code = Code::kCorrupt) const {
    EXPECT_TRUE(Fails(code, [&] { Read(settings); })) << key;
    EXPECT_THAT(ErrorText([&] { Read(settings); }), HasSubstr(key));
  }

  TempFolder folder_;
  json json_;
};

TEST_F(DecoderConfigTest, ReadsWhatIsWritten) {
  const DecoderConfig config = Read(json_);
  EXPECT_EQ(config.vocabulary, 64);
  EXPECT_EQ(config.width, 64);
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.kv_heads, 2);
  EXPECT_EQ(config.head_size, 16);
  EXPECT_EQ(config.ffn_width, 96);
  EXPECT_EQ(config.context, 1024);
  EXPECT_EQ(config.norm_eps, 1e-3F);
  EXPECT_EQ(config.rope.base, 10000);
  EXPECT_EQ(config.rope.dimensions, 16);
  EXPECT_EQ(config.query_scale, 0.25);
}

TEST_F(DecoderConfigTest, SizesOutOfRangeAreRefusedByName) {
  for (const char* key :
       {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "intermediate_size", "max_position_embeddings", "head_dim"}) {
    for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, INT64_MIN, INT64_MAX}) {
      SCOPED_TRACE(value);
      ExpectRefused(With(key, value), key);
    }
  }
  ExpectRefused(With("sliding_window", -1), "sliding_window");
  ExpectRefused(With("sliding_window", INT64_MAX), "sliding_window");
}

TEST_F(DecoderConfigTest, ValuesOfAnotherTypeAreRefusedByName) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "num_key_value_heads", "intermediate_size", "max_position_embeddings",
                          "head_dim", "rope_theta", "rms_norm_eps", "attention_bias"}) {
    for (const json& value : {json("64"), json::array({64}), json::object(), json(0.5), json(true),
                              json(uint64_t{1} << 63)}) {
      const std::string name = key;
      const bool number = name == "rope_theta" || name == "rms_norm_eps";
      if (number && value.is_number()) continue;
      if (name == "attention_bias" && value.is_boolean()) continue;
      SCOPED_TRACE(value.dump());
      ExpectRefused(With(key, value), key);
    }
  }
  ExpectRefused(With("rope_scaling", "linear"), "rope_scaling");
  ExpectRefused(With("rope_scaling", 8), "rope_scaling");
  ExpectRefused(With("rope_scaling", json::array({1})), "rope_scaling");
  ExpectRefused(With("layer_types", json::array({1})), "layer_types");
}

TEST_F(DecoderConfigTest, MissingSizesAreNamed) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings"}) {
    json changed = json_;
    changed.erase(key);
    ExpectRefused(changed, std::string(key) + " is missing");
    ExpectRefused(With(key, nullptr), std::string(key) + " is missing");
  }
}

TEST_F(DecoderConfigTest, HeadsThatCannotShareAreRefused) {
  ExpectRefused(With("num_key_value_heads", 3), "num_key_value_heads");
  ExpectRefused(With("num_key_value_heads", 8), "num_key_value_heads");
}

TEST_F(DecoderConfigTest, NumbersThatMustBePositiveAre) {
  for (const double value : {0.0, -1.0}) {
    ExpectRefused(With("rope_theta", value), "rope_theta");
    ExpectRefused(With("rms_norm_eps", value), "rms_norm_eps");
    ExpectRefused(With("query_pre_attn_scalar", value), "query_pre_attn_scalar");
  }
  ExpectRefused(With("attn_logit_softcapping", -1.0), "attn_logit_softcapping");
  ExpectRefused(With("final_logit_softcapping", -1.0), "final_logit_softcapping");
  ExpectRefused(With("rms_norm_eps", 1e-300), "rms_norm_eps");  // zero as a float
}

TEST_F(DecoderConfigTest, OddAndEmptyRopeIsRefused) {
  ExpectRefused(With("partial_rotary_factor", 0.3125), "RoPE over 5 channels");
  for (const double share : {0.0, -0.5, 1.5}) {
    ExpectRefused(With("partial_rotary_factor", share), "partial_rotary_factor");
  }
  ExpectRefused(With("head_dim", 15), "RoPE over 15 channels");
}

TEST_F(DecoderConfigTest, RopeScalingIsValidated) {
  ExpectRefused(WithRope({{"rope_type", "spiral"}, {"factor", 2}}), "spiral", Code::kUnsupported);
  ExpectRefused(WithRope({{"rope_type", 7}}), "rope_type");
  for (const double factor : {0.0, -2.0}) {
    ExpectRefused(WithRope({{"rope_type", "linear"}, {"factor", factor}}), "factor");
  }
  ExpectRefused(WithRope({{"rope_type", "linear"}, {"factor", "2"}}), "rope_scaling.factor");
  ExpectRefused(
      WithRope({{"rope_type", "yarn"}, {"factor", 2}, {"original_max_position_embeddings", -5}}),
      "original");
  for (const char* key : {"beta_fast", "beta_slow"}) {
    for (const double value : {0.0, -1.0}) {
      ExpectRefused(WithRope({{"rope_type", "yarn"}, {"factor", 2}, {key, value}}), key);
    }
  }
  for (const char* key : {"low_freq_factor", "high_freq_factor"}) {
    ExpectRefused(WithRope({{"rope_type", "llama3"}, {"factor", 2}, {key, 0}}), key);
  }
  ExpectRefused(WithRope({{"rope_type", "llama3"},
                          {"factor", 2},
                          {"low_freq_factor", 4},
                          {"high_freq_factor", 4}}),
                "high_freq_factor");
  ExpectRefused(WithRope({{"rope_type", "yarn"}, {"factor", 2}, {"attention_factor", -1}}),
                "attention_factor");
}

TEST_F(DecoderConfigTest, DualChunkAttentionIsReadAndValidated) {
  EXPECT_FALSE(Read(json_).chunks);
  const auto with = [&](const json& dca) { return With("dual_chunk_attention_config", dca); };
  // The values of Qwen2.5-1M.
  const DecoderConfig config = Read(with({{"chunk_size", 262144},
                                          {"local_size", 8192},
                                          {"original_max_position_embeddings", 262144},
                                          {"sparse_attention_enabled", true}}));
  EXPECT_EQ(config.chunks, (ChunkedPositions{.chunk = 253952, .limit = 262144, .trained = 262144}));
  ExpectRefused(with({{"chunk_size", 0}}), "chunk_size");
  ExpectRefused(with({{"chunk_size", 128}, {"local_size", 128}}), "local_size");
  ExpectRefused(with({{"chunk_size", 128}, {"local_size", -1}}), "local_size");
  ExpectRefused(with({{"chunk_size", 128}, {"original_max_position_embeddings", 0}}),
                "original_max_position_embeddings");
  ExpectRefused(with({{"chunk_size", 140}, {"local_size", 16}}), "multiples of 64",
                Code::kUnsupported);
}

TEST_F(DecoderConfigTest, LongRopeNeedsItsFactors) {
  const std::vector<double> eight(8, 1.5);
  ExpectRefused(WithRope({{"type", "longrope"}}), "longrope");
  ExpectRefused(WithRope({{"type", "longrope"}, {"short_factor", eight}}), "longrope");
  ExpectRefused(WithRope({{"type", "longrope"}, {"short_factor", eight}, {"long_factor", {1, 2}}}),
                "long factors has 2");
  std::vector<double> zero = eight;
  zero[3] = 0;
  ExpectRefused(WithRope({{"type", "longrope"}, {"short_factor", eight}, {"long_factor", zero}}),
                "long factors");
  EXPECT_EQ(Read(WithRope({{"type", "longrope"}, {"short_factor", eight}, {"long_factor", eight}}))
                .rope.long_factors,
            eight);
}

TEST_F(DecoderConfigTest, AHugeScalingFactorKeepsTheContextInRange) {
  const DecoderConfig config = Read(WithRope({{"rope_type", "linear"}, {"factor", 1e300}}));
  EXPECT_GT(config.context, 1024);
  EXPECT_LE(config.context, int64_t{1} << 31);
}

TEST_F(DecoderConfigTest, TextThatIsNoObjectIsRefused) {
  for (const char* text : {"[]", "3", "null", "{", "{\"a\":1}x", "{\"a\":NaN}", "{\"a\":1e999}"}) {
    WriteFile(folder_ / "config.json", text);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] {
      ReadDecoderConfig(Checkpoint::Open(folder_.path()), "llama");
    })) << text;
  }
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_TRUE(Fails(Code::kNotFound, [&] {
    ReadDecoderConfig(Checkpoint::Open(folder_ / "model.safetensors"), "llama");
  }));
}

// Returns an object around `arrays` nested arrays.
std::string Nested(size_t arrays) {
  return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
}

TEST(HfConfigTest, NestingIsLimitedTo32Levels) {
  EXPECT_TRUE(HfConfig::Parse(Nested(31)).Has("a"));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { HfConfig::Parse(Nested(32)); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { HfConfig::Parse(Nested(1000000)); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { HfConfig::Parse(std::string(1000000, '[')); }));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { HfConfig::Parse(objects); }));
}

TEST(HfConfigTest, TypedAccess) {
  const HfConfig config = HfConfig::Parse(
      R"({"whole": 4096.0, "half": 0.5, "none": null, "group": {"x": 1}, "list": [1, 2.5]})");
  EXPECT_EQ(config.Int("whole"), 4096);
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { config.Int("half"); }));
  EXPECT_EQ(config.Float("half"), 0.5);
  EXPECT_EQ(config.Int("none"), std::nullopt);
  EXPECT_EQ(config.Int("absent"), std::nullopt);
  EXPECT_EQ(config.Int("group.x"), 1);
  EXPECT_EQ(config.Int("group.y"), std::nullopt);
  EXPECT_EQ(config.Floats("list"), (std::vector<double>{1, 2.5}));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { config.Strings("list"); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { config.Int("half.x"); }));
}

}  // namespace
}  // namespace tome
