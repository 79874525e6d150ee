#include "tome/embed/embedding_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <string>

#include "tests/embed/tiny_embedder.h"
#include "tests/expect_error.h"

namespace tome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EmbeddingModelTest : public testing::Test {
 protected:
  void SetUp() override { WriteTinyEmbedder(folder()); }

  std::filesystem::path folder() const { return folder_.path() / "tiny-embedder"; }
  void Write(const char* name, const json& content) const {
    std::filesystem::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name) << content;
  }
  std::unique_ptr<EmbeddingModel> Open(int threads = 2,
                                       EncoderWeights weights = EncoderWeights::kAsStored) const {
    return EmbeddingModel::Open(folder(), {.threads = threads, .weights = weights});
  }
  static std::vector<float> Row(const Embeddings& embeddings, size_t row) {
    const auto width = static_cast<size_t>(embeddings.vectors.shape()[1]);
    const auto values = embeddings.vectors.floats().subspan(row * width, width);
    return {values.begin(), values.end()};
  }
  static std::vector<float> VectorOf(const EmbeddingModel& model, std::string_view text,
                                     TextRole role = TextRole::kPassage) {
    return Row(model.Embed({&text, 1}, role, {}), 0);
  }
  std::string Refusal() const {
    return ErrorText([&] { Open(); });
  }

  TempFolder folder_;
};

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

TEST_F(EmbeddingModelTest, AVectorIsTheMeanOfTheRowsMadeUnit) {
  const auto model = Open();
  const auto vector = VectorOf(*model, "Lamp");
  const std::vector<TokenId> tokens{2, 4 + 11, 30 + 0, 30 + 12, 30 + 15, 3};
  ThreadPool threads(1);
  const Compute compute{SelectKernelSet(), threads};
  const auto encoder = LoadEncoderAt(folder(), compute);
  const EncoderItem item{.tokens = tokens};
  const Tensor rows = encoder->Forward({&item, 1}, std::nullopt, compute);
  std::vector<double> mean(64);
  for (size_t i = 0; i < 64; ++i) {
    for (size_t t = 0; t < tokens.size(); ++t) mean[i] += double{rows.floats()[t * 64 + i]};
  }
  double squares = 0;
  for (const double value : mean) squares += value * value;
  for (size_t i = 0; i < 64; ++i) EXPECT_NEAR(vector[i], mean[i] / std::sqrt(squares), 1e-6);
}

TEST_F(EmbeddingModelTest, ATextHasTheSameBitsWhateverIsEmbeddedWithIt) {
  std::vector<std::string> texts;
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    const auto length = random() % 150;
    for (size_t c = 0; c < length; ++c) {
      text += random() % 5 == 0 ? ' ' : static_cast<char>('a' + random() % 26);
    }
    texts.push_back(text);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const auto weights : {EncoderWeights::kAsStored, EncoderWeights::kQ8}) {
    const auto one = Open(1, weights);
    const Embeddings together = Open(3, weights)->Embed(views, TextRole::kPassage, {});
    for (size_t i = 0; i < texts.size(); ++i) {
      ASSERT_EQ(VectorOf(*one, texts[i]), Row(together, i)) << i;
      ASSERT_NEAR(Dot(Row(together, i), Row(together, i)), 1, 1e-6);
    }
  }
}

TEST_F(EmbeddingModelTest, PrefixesAreTheFilesOnes) {
  Write("config_sentence_transformers.json",
        {{"prompts", {{"query", "query: "}, {"passage", "text: "}}}});
  const auto model = Open();
  EXPECT_EQ(model->facts().query_prefix, "query: ");
  EXPECT_EQ(model->facts().passage_prefix, "text: ");
  EXPECT_EQ(model->facts().prefix_source, "config_sentence_transformers.json");
  const auto query = VectorOf(*model, "lamp", TextRole::kQuery);
  const auto passage = VectorOf(*model, "lamp", TextRole::kPassage);
  std::filesystem::remove(folder() / "config_sentence_transformers.json");
  const auto plain = Open();
  EXPECT_EQ(plain->facts().prefix_source, "");
  EXPECT_EQ(VectorOf(*plain, "query: lamp"), query);
  EXPECT_EQ(VectorOf(*plain, "text: lamp"), passage);
  EXPECT_NE(plain->Key(), model->Key());
}

TEST_F(EmbeddingModelTest, FamiliesWhoseFilesAreSilentGoByTheirNames) {
  const auto bge = folder_.path() / "bge-small-en-v1.5";
  std::filesystem::rename(folder(), bge);
  const auto model = EmbeddingModel::Open(bge, {.threads = 1});
  EXPECT_THAT(model->facts().query_prefix, HasSubstr("Represent this sentence"));
  EXPECT_EQ(model->facts().passage_prefix, "");
  EXPECT_EQ(model->facts().prefix_source, "BGE, English");
}

TEST_F(EmbeddingModelTest, ALongTextIsTheWeightedMeanOfItsParts) {
  Write("sentence_bert_config.json", {{"max_seq_length", 32}});
  const auto model = Open();
  EXPECT_EQ(model->facts().max_tokens, 32);
  const std::string first = "the lamp was out there. ";
  const std::string second = "nobody came by to see it.";
  const std::string both = first + second;
  const std::vector<std::string_view> texts{"short", both, first, second};
  const Embeddings embeddings = model->Embed(texts, TextRole::kPassage, {});
  EXPECT_THAT(embeddings.split, ElementsAre(1));
  EXPECT_EQ(embeddings.tokens[1], embeddings.tokens[2] + embeddings.tokens[3]);
  const auto a = Row(embeddings, 2);
  const auto b = Row(embeddings, 3);
  std::vector<float> mean(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    mean[i] = static_cast<float>(embeddings.tokens[2]) * a[i] +
              static_cast<float>(embeddings.tokens[3]) * b[i];
  }
  EXPECT_NEAR(Dot(mean, Row(embeddings, 1)) / std::sqrt(Dot(mean, mean)), 1, 1e-6);
  EXPECT_NEAR(Dot(Row(embeddings, 1), Row(embeddings, 1)), 1, 1e-6);
}

TEST_F(EmbeddingModelTest, TextsOfAnyKindHaveVectors) {
  const auto model = Open();
  std::string endless;
  for (int i = 0; i < 5000; ++i) endless += "word ";
  const std::string unbroken(3000, 'x');
  const std::vector<std::string_view> texts{"", " ", "\xff\xfe", "灯", "[CLS]", endless, unbroken};
  const Embeddings embeddings = model->Embed(texts, TextRole::kPassage, {});
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_NEAR(Dot(Row(embeddings, i), Row(embeddings, i)), 1, 1e-5) << i;
  }
  // The text of a special token is text.
  EXPECT_EQ(embeddings.tokens[4], 2 + 5);
  EXPECT_THAT(embeddings.split, ElementsAre(5));
  EXPECT_EQ(model->Embed({}, TextRole::kPassage, {}).vectors.shape(), (Shape{0, 64}));
}

TEST_F(EmbeddingModelTest, DenseModulesMapThePooledRow) {
  const auto plain = VectorOf(*Open(), "lamp");
  Write("modules.json", {{{"path", ""}, {"type", "x.Transformer"}},
                         {{"path", "1_Pooling"}, {"type", "x.Pooling"}},
                         {{"path", "2_Dense"}, {"type", "x.Dense"}}});
  Write("2_Dense/config.json", {{"in_features", 64},
                                {"out_features", 3},
                                {"bias", false},
                                {"activation_function", "x.Identity"}});
  EXPECT_THAT(Refusal(), HasSubstr("2_Dense/model.safetensors"));
  std::vector<float> weight(3 * 64);
  weight[0 * 64 + 5] = 1;
  weight[1 * 64 + 7] = -2;
  weight[2 * 64 + 0] = 3;
  SafetensorsWriter writer(folder() / "2_Dense/model.safetensors",
                           {{.name = "linear.weight", .dtype = DType::kF32, .shape = {3, 64}}}, {});
  writer.Write(std::as_bytes(std::span<const float>(weight)));
  writer.Finish();
  const auto model = Open();
  EXPECT_EQ(model->facts().width, 3);
  const auto mapped = VectorOf(*model, "lamp");
  const std::vector<float> expected{plain[5], -2 * plain[7], 3 * plain[0]};
  EXPECT_NEAR(Dot(mapped, expected) / std::sqrt(Dot(expected, expected)), 1, 1e-6);
}

TEST_F(EmbeddingModelTest, PoolingThatNoFileNamesIsNoted) {
  EXPECT_THAT(Open()->notes(), IsEmpty());
  std::filesystem::remove(folder() / "1_Pooling/config.json");
  EXPECT_THAT(Open()->notes(), ElementsAre(HasSubstr("their mean is taken")));
}

TEST_F(EmbeddingModelTest, KeysTellWhatVectorsDependOn) {
  const auto key = Open()->Key();
  EXPECT_EQ(Open(1)->Key(), key);
  EXPECT_NE(Open(1, EncoderWeights::kQ8)->Key(), key);
  Write("1_Pooling/config.json", {{"pooling_mode_cls_token", true}});
  EXPECT_NE(Open()->Key(), key);
}

TEST_F(EmbeddingModelTest, WorkCanBeStopped) {
  std::stop_source source;
  source.request_stop();
  const std::string_view text = "lamp";
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    Open()->Embed({&text, 1}, TextRole::kQuery, {.stop = source.get_token(), .progress = {}});
  }));
}

TEST_F(EmbeddingModelTest, SettingsThatLeaveNoRoomAreRefused) {
  Write("sentence_bert_config.json", {{"max_seq_length", 4}});
  EXPECT_THAT(Refusal(), HasSubstr("no less than 16"));
  Write("sentence_bert_config.json", {{"max_seq_length", 64}});
  Write("config_sentence_transformers.json", {{"prompts", {{"query", std::string(100, 'q')}}}});
  EXPECT_THAT(Refusal(), HasSubstr("no less than 16"));
}

TEST_F(EmbeddingModelTest, ALanguageModelIsRefused) {
  WriteGoldenModel("llama", folder_.path() / "model");
  EXPECT_THAT(ErrorText([&] { EmbeddingModel::Open(folder_.path() / "model", {}); }),
              HasSubstr("language model"));
}

}  // namespace
}  // namespace tome
