#include "tome/library/indexer.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tome/documents/document_builder.h"

namespace tome {
namespace {

class IndexerTest : public testing::Test {
 protected:
  IndexerTest() {
    DocumentBuilder builder("text");
    for (int chapter = 0; chapter < 100; ++chapter) {
      builder.Heading(1, "Chapter " + std::to_string(chapter));
      for (int i = 0; i < 30; ++i) {
        builder.Paragraph("Words of " + std::to_string(chapter * 30 + i) + " 软件包。");
      }
    }
    document_ = std::move(builder).Finish();
    passages_ = CutPassages(document_, 12, {});
  }

  void Analyze(const WorkControl& control, const BatchFn& consume) {
    AnalyzePassages(document_.text, document_.sections, passages_, control, consume);
  }

  Document document_;
  std::vector<Passage> passages_;
};

TEST_F(IndexerTest, GivesEveryPassageInOrderAsItIsAnalyzedAlone) {
  ASSERT_GT(passages_.size(), 2000U) << "several batches";
  std::vector<PassageTerms> all;
  int batches = 0;
  uint64_t reported = 0;
  const auto caller = std::this_thread::get_id();
  const WorkControl control{.stop = {},
                            .progress = [&](std::string_view stage, uint64_t done, uint64_t total) {
                              EXPECT_EQ(stage, "indexing");
                              EXPECT_GT(done, reported);
                              EXPECT_EQ(total, passages_.size());
                              reported = done;
                            }};
  Analyze(control, [&](size_t first, std::span<const PassageTerms> batch) {
    EXPECT_EQ(first, all.size());
    EXPECT_EQ(std::this_thread::get_id(), caller);
    all.insert(all.end(), batch.begin(), batch.end());
    ++batches;
  });
  EXPECT_GT(batches, 5);
  EXPECT_EQ(reported, passages_.size());
  ASSERT_EQ(all.size(), passages_.size());
  Analyzer analyzer;
  for (size_t i = 0; i < all.size(); ++i) {
    const Passage& passage = passages_[i];
    const AnalyzedText text = AnalyzeToStream(
        std::string_view(document_.text).substr(passage.span.begin, passage.span.size()), analyzer);
    const AnalyzedText headings =
        AnalyzeToStream(SectionPath(document_.sections, passage.section), analyzer);
    ASSERT_EQ(all[i].text.stream, text.stream) << i;
    ASSERT_EQ(all[i].text.positions, text.positions) << i;
    ASSERT_EQ(all[i].headings.stream, headings.stream) << i;
  }
}

TEST_F(IndexerTest, NoPassagesAreNoBatches) {
  AnalyzePassages("", {}, {}, {}, [](size_t, std::span<const PassageTerms>) { FAIL(); });
}

TEST_F(IndexerTest, AnExceptionOfTheConsumerReachesTheCallerWhereverItIsThrown) {
  for (int fatal = 0; fatal < 4; ++fatal) {
    int batches = 0;
    EXPECT_THROW(Analyze({},
                         [&](size_t, std::span<const PassageTerms>) {
                           if (batches++ == fatal) throw std::runtime_error("disk full");
                         }),
                 std::runtime_error);
    EXPECT_EQ(batches, fatal + 1);
  }
}

TEST_F(IndexerTest, StopsWhenAskedBeforeAndInTheMiddle) {
  for (const int when : {0, 2}) {
    std::stop_source source;
    if (when == 0) source.request_stop();
    int batches = 0;
    EXPECT_TRUE(Fails(Code::kCancelled, [&] {
      Analyze({.stop = source.get_token(), .progress = {}},
              [&](size_t, std::span<const PassageTerms>) {
                if (++batches == when) source.request_stop();
              });
    }));
    EXPECT_EQ(batches, when);
  }
}

}  // namespace
}  // namespace tome
