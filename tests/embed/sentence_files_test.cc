#include "tome/embed/sentence_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/expect_error.h"

namespace tome {
namespace {

using testing::HasSubstr;
using Files = std::map<std::string, std::string>;

SentenceFiles Read(const Files& files) {
  return ReadSentenceFiles([&](const std::string& name) {
    const auto found = files.find(name);
    return found == files.end() ? std::string() : found->second;
  });
}

std::string Refusal(const Files& files) {
  return ErrorText([&] { Read(files); });
}

// The files of all-MiniLM-L6-v2, as sentence-transformers 2.0 wrote them.
const char* const kModules = R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])";

TEST(SentenceFilesTest, WithoutFilesNothingIsSaid) {
  const SentenceFiles files = Read({});
  EXPECT_EQ(files.pooling, std::nullopt);
  EXPECT_EQ(files.query_prompt, std::nullopt);
  EXPECT_EQ(files.max_tokens, std::nullopt);
  EXPECT_FALSE(files.lower_case);
}

TEST(SentenceFilesTest, ReadsPublishedFiles) {
  const SentenceFiles files =
      Read({{"modules.json", kModules},
            {"1_Pooling/config.json",
             R"({"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
                 "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
                 "pooling_mode_mean_sqrt_len_tokens": false})"},
            {"sentence_bert_config.json", R"({"max_seq_length": 256, "do_lower_case": true})"}});
  EXPECT_EQ(files.pooling, Pooling::kMean);
  EXPECT_EQ(files.max_tokens, 256);
  EXPECT_TRUE(files.lower_case);
  EXPECT_TRUE(files.dense.empty());
}

TEST(SentenceFilesTest, PoolingIsFoundWithoutModules) {
  EXPECT_EQ(Read({{"1_Pooling/config.json", R"({"pooling_mode_cls_token": true})"}}).pooling,
            Pooling::kFirst);
  EXPECT_EQ(Read({{"1_Pooling/config.json", R"({"pooling_mode_lasttoken": true})"}}).pooling,
            Pooling::kLast);
  EXPECT_EQ(Read({{"1_Pooling/config.json", R"({"pooling_mode": "cls"})"}}).pooling,
            Pooling::kFirst);
}

TEST(SentenceFilesTest, PoolingThatIsNotComputedIsRefused) {
  const auto refusal = [](const char* config) {
    return Refusal({{"1_Pooling/config.json", config}});
  };
  EXPECT_THAT(refusal(R"({"pooling_mode_max_tokens": true})"), HasSubstr("max_tokens"));
  EXPECT_THAT(refusal(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})"),
              HasSubstr("several"));
  EXPECT_THAT(refusal(R"({"pooling_mode": "attention"})"), HasSubstr("attention"));
  EXPECT_THAT(refusal(R"({"pooling_mode_cls_token": 1})"), HasSubstr("pooling_mode_cls_token"));
  EXPECT_THAT(refusal("[]"), HasSubstr("object"));
}

TEST(SentenceFilesTest, PromptsHaveSeveralNames) {
  const auto read = [](const char* config) {
    return Read({{"config_sentence_transformers.json", config}});
  };
  SentenceFiles files = read(R"({"prompts": {"query": "query: ", "passage": "passage: "}})");
  EXPECT_EQ(files.query_prompt, "query: ");
  EXPECT_EQ(files.passage_prompt, "passage: ");
  files = read(R"({"prompts": {"query": "Q ", "document": "D "}, "default_prompt_name": null})");
  EXPECT_EQ(files.query_prompt, "Q ");
  EXPECT_EQ(files.passage_prompt, "D ");
  files = read(R"({"prompts": {"any": "A "}, "default_prompt_name": "any"})");
  EXPECT_EQ(files.query_prompt, "A ");
  EXPECT_EQ(files.passage_prompt, "A ");
  files = read(R"({"prompts": {"query": "Q "}})");
  EXPECT_EQ(files.query_prompt, "Q ");
  EXPECT_EQ(files.passage_prompt, std::nullopt);
  // sentence-transformers 5 writes these for every model.
  files = read(R"({"prompts": {"query": "", "document": ""}})");
  EXPECT_EQ(files.query_prompt, std::nullopt);
  EXPECT_EQ(files.passage_prompt, std::nullopt);
}

TEST(SentenceFilesTest, DenseModulesAreRead) {
  const std::string modules = R"([{"path": "", "type": "a.Transformer"},
      {"path": "1_Pooling", "type": "a.Pooling"}, {"path": "2_Dense", "type": "a.Dense"}])";
  const auto files = Read({{"modules.json", modules},
                           {"2_Dense/config.json",
                            R"({"in_features": 768, "out_features": 512, "bias": false,
                 "activation_function": "torch.nn.modules.linear.Identity"})"}});
  ASSERT_EQ(files.dense.size(), 1U);
  EXPECT_EQ(files.dense[0].folder, "2_Dense");
  EXPECT_EQ(files.dense[0].in, 768);
  EXPECT_EQ(files.dense[0].out, 512);
  EXPECT_FALSE(files.dense[0].has_bias);
  EXPECT_FALSE(files.dense[0].tanh);
  EXPECT_THAT(Refusal({{"modules.json", modules}}), HasSubstr("2_Dense/config.json"));
  EXPECT_THAT(Refusal({{"modules.json", modules},
                       {"2_Dense/config.json", R"({"in_features": 0, "out_features": 4})"}}),
              HasSubstr("in_features"));
  EXPECT_THAT(
      Refusal({{"modules.json", modules},
               {"2_Dense/config.json",
                R"({"in_features": 4, "out_features": 4, "activation_function": "x.Relu"})"}}),
      HasSubstr("Relu"));
}

TEST(SentenceFilesTest, HostileFilesAreRefused) {
  EXPECT_THAT(Refusal({{"modules.json", "{"}}), HasSubstr("modules.json"));
  EXPECT_THAT(Refusal({{"modules.json", "{}"}}), HasSubstr("list"));
  EXPECT_THAT(Refusal({{"modules.json", R"([{"path": "..", "type": "a.Pooling"}])"}}),
              HasSubstr("path"));
  EXPECT_THAT(Refusal({{"modules.json", R"([{"path": "a/b", "type": "a.Pooling"}])"}}),
              HasSubstr("path"));
  EXPECT_THAT(Refusal({{"modules.json", R"([{"path": "/etc", "type": "a.Dense"}])"}}),
              HasSubstr("path"));
  EXPECT_THAT(Refusal({{"modules.json", R"([{"path": "", "type": "a.CNN"}])"}}),
              HasSubstr("a.CNN"));
  EXPECT_THAT(Refusal({{"modules.json", std::string(100, '[')}}), HasSubstr("nested"));
  EXPECT_THAT(Refusal({{"sentence_bert_config.json", R"({"max_seq_length": 0})"}}),
              HasSubstr("max_seq_length"));
  EXPECT_THAT(Refusal({{"sentence_bert_config.json", R"({"max_seq_length": -1})"}}),
              HasSubstr("max_seq_length"));
  EXPECT_THAT(Refusal({{"sentence_bert_config.json", R"({"max_seq_length": 1e99})"}}),
              HasSubstr("max_seq_length"));
  EXPECT_THAT(Refusal({{"config_sentence_transformers.json", R"({"prompts": {"query": 7}})"}}),
              HasSubstr("query"));
  EXPECT_THAT(Refusal({{"config_sentence_transformers.json",
                        R"({"prompts": {"query": ")" + std::string(5000, 'q') + "\"}}"}}),
              HasSubstr("prompt"));
}

TEST(PromptFamilyTest, NamesTellFamilies) {
  EXPECT_EQ(PromptFamilyOf("bge-small-en-v1.5")->query,
            "Represent this sentence for searching relevant passages: ");
  EXPECT_EQ(PromptFamilyOf("BGE-large-zh-v1.5-f16.gguf")->query,
            "为这个句子生成表示以用于检索相关文章：");
  EXPECT_EQ(PromptFamilyOf("e5-small-v2")->passage, "passage: ");
  EXPECT_EQ(PromptFamilyOf("multilingual-e5-base")->query, "query: ");
  for (const char* name : {"all-MiniLM-L6-v2", "bge-m3", "bge-reranker-base", "gte-small",
                           "multilingual-e5-large-instruct", "core5-large"}) {
    EXPECT_FALSE(PromptFamilyOf(name)) << name;
  }
}

}  // namespace
}  // namespace tome
