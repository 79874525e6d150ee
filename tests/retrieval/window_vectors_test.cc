#include "tome/retrieval/window_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/embed/tiny_embedder.h"
#include "tests/expect_error.h"
#include "tests/store/store_fixture.h"
#include "tome/retrieval/dense_search.h"

namespace tome {
namespace {

class WindowVectorsTest : public StoreFixture {
 protected:
  void SetUp() override {
    WriteTinyEmbedder(folder_ / "embedder");
    model_ = EmbeddingModel::Open(folder_ / "embedder",
                                  {.threads = 2, .weights = EncoderWeights::kAsStored});
    store_ = Open();
  }

  DocumentId Add(int paragraphs, char hash) {
    return Insert(*store_, SomeDocument(paragraphs), std::string(16, hash)).id;
  }
  void Embed(const std::vector<DocumentId>& documents, const WorkControl& control = {}) {
    EmbedDocuments(*store_, EmbedderOf(*store_, *model_), documents, *model_, control);
  }
  VectorProgress ProgressOf(DocumentId document) {
    return store_->vectors().ProgressOf(EmbedderOf(*store_, *model_), document);
  }

  std::unique_ptr<EmbeddingModel> model_;
  std::unique_ptr<Store> store_;
};

TEST_F(WindowVectorsTest, AWindowIsEmbeddedWithTitleAndSection) {
  EXPECT_EQ(WindowText("Book", "Part > Chapter", "It rained."), "Book\nPart > Chapter\nIt rained.");
  EXPECT_EQ(WindowText("", "", "It rained."), "It rained.");
}

// Compares each stored vector with what the model gives for the window's text by itself.
TEST_F(WindowVectorsTest, AWindowIsAsWideInEachScript) {
  std::string english;
  std::string chinese;
  for (int i = 0; i < 1000; ++i) {
    english += "word";
    chinese += "字";
  }
  EXPECT_EQ(WindowSizeOf(english), (WindowSize{.tokens = 200, .overlap = 40}));
  EXPECT_EQ(WindowSizeOf(chinese), (WindowSize{.tokens = 400, .overlap = 80}));
  // Of 6,000 columns, 2,000 tokens.
  EXPECT_EQ(WindowSizeOf(english + chinese), (WindowSize{.tokens = 266, .overlap = 53}));
}

TEST_F(WindowVectorsTest, StoresTheVectorOfEachWindow) {
  const DocumentId id = Add(400, 'a');
  Embed({id});
  const DocumentRecord record = store_->documents().Read(id);
  const std::vector<Section> sections = store_->documents().Sections(id);
  const std::string text = store_->documents().Text(id, {.begin = 0, .end = record.text_bytes});
  const auto width = static_cast<size_t>(model_->facts().width);
  size_t windows = 0;
  const auto check = [&](const VectorRow& row) {
    for (size_t i = 0; i < row.spans.size(); ++i) {
      const TextSpan& span = row.spans[i];
      const std::string whole = WindowText(record.title, SectionPathAt(sections, span.begin),
                                           std::string_view(text).substr(span.begin, span.size()));
      const std::string_view view = whole;
      const Embeddings alone = model_->Embed(std::span(&view, 1), TextRole::kPassage, {});
      double product = 0;
      for (size_t j = 0; j < width; ++j) {
        product += row.scales[i] * row.vectors[i * width + j] * alone.vectors.floats()[j];
      }
      EXPECT_NEAR(product, 1, 1e-3);
      ++windows;
    }
  };
  store_->vectors().Read(EmbedderOf(*store_, *model_), {}, check);
  EXPECT_GT(windows, 3U);
  EXPECT_EQ(ProgressOf(id), (VectorProgress{.stored = static_cast<int64_t>(windows),
                                            .total = static_cast<int64_t>(windows)}));
}

TEST_F(WindowVectorsTest, GoesOnWhereItWasStoppedAndEmbedsNothingTwice) {
  const DocumentId first = Add(10, 'a');
  const DocumentId second = Add(3000, 'b');
  std::stop_source source;
  int reports = 0;
  // Stops in the second document, after some of its windows.
  const WorkControl control{.stop = source.get_token(),
                            .progress = [&](std::string_view, uint64_t, uint64_t) {
                              if (++reports == 4) source.request_stop();
                            }};
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { Embed({first, second}, control); }));
  EXPECT_TRUE(ProgressOf(first).complete());
  const VectorProgress stopped = ProgressOf(second);
  EXPECT_GT(stopped.stored, 0);
  EXPECT_FALSE(stopped.complete());
  store_ = Open();
  uint64_t begun_at = UINT64_MAX;
  Embed({first, second}, {.stop = {}, .progress = [&](std::string_view, uint64_t done, uint64_t) {
                            begun_at = std::min(begun_at, done);
                          }});
  EXPECT_TRUE(ProgressOf(second).complete());
  EXPECT_GT(begun_at, 0U);
  const VectorProgress all = ProgressOf(second);
  Embed({first, second});
  EXPECT_EQ(ProgressOf(second), all);
}

TEST_F(WindowVectorsTest, AnUnknownDocumentIsAnError) {
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Embed({77}); }));
}

TEST_F(WindowVectorsTest, ASearchFindsTheWindowOfItsOwnWordsInItsScope) {
  DocumentBuilder builder("text");
  builder.Paragraph("zebra quartz vexing dwarf jumps");
  const DocumentId zebra = Insert(*store_, std::move(builder).Finish(), std::string(16, 'z')).id;
  const DocumentId lamps = Add(50, 'a');
  Embed({zebra, lamps});
  const DenseSearch search(*store_, EmbedderOf(*store_, *model_), {}, *model_);
  const auto found = search.Find("zebra quartz vexing dwarf jumps", {}, 3, {});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].document, zebra);
  EXPECT_NEAR(found[0].cosine, 1, 1e-3);
  EXPECT_GE(found[0].cosine, found[1].cosine);
  for (const FoundWindow& window : search.Find("zebra quartz", {&lamps, 1}, 100, {})) {
    EXPECT_EQ(window.document, lamps);
  }
  const DenseSearch narrow(*store_, EmbedderOf(*store_, *model_), {&lamps, 1}, *model_);
  EXPECT_EQ(narrow.windows(), search.windows() - 1);
}

TEST_F(WindowVectorsTest, WithoutVectorsNothingIsFound) {
  const DocumentId id = Add(5, 'a');
  const DenseSearch search(*store_, EmbedderOf(*store_, *model_), {&id, 1}, *model_);
  EXPECT_EQ(search.windows(), 0);
  EXPECT_TRUE(search.Find("lamp", {}, 3, {}).empty());
}

}  // namespace
}  // namespace tome
