#include "apps/tome-reader/ocr.h"

#include <gtest/gtest.h>
#include <poppler-document.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "apps/tome-reader/pdf_reader.h"
#include "tests/scoped_environment.h"
#include "tests/temp_folder.h"
#include "tests/tome-reader/pdf_writer.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/limits.h"
#include "tome/documents/reader_process.h"

namespace tome {
namespace {

bool IsCi() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

// A PDF whose only page is a picture of that page of `bytes`.
std::string Scan(const std::string& bytes, int page) {
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  const std::unique_ptr<poppler::page> source(document->create_page(page));
  poppler::page_renderer renderer;
  renderer.set_image_format(poppler::image::format_gray8);
  renderer.set_render_hint(poppler::page_renderer::text_antialiasing);
  constexpr double kDpi = 200;
  const poppler::image image = renderer.render_page(source.get(), kDpi, kDpi);
  std::string pixels;
  for (int y = 0; y < image.height(); ++y) {
    pixels.append(image.const_data() + static_cast<ptrdiff_t>(y) * image.bytes_per_row(),
                  static_cast<size_t>(image.width()));
  }
  PdfWriter pdf;
  pdf.AddPage();
  pdf.Picture(image.width(), image.height(), std::move(pixels));
  return pdf.Finish();
}

// The text of a scan, or empty if the test cannot run here.
std::string Recognise(const std::string& scan) {
  ReadOptions options;
  options.ocr = true;
  try {
    const Document document = ReadPdf(scan, options);
    CheckDocument(document);
    EXPECT_EQ(document.notes.at(0), "page 1 is read by OCR; expect mistakes");
    return document.text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable) << error.what();
    EXPECT_FALSE(IsCi()) << error.what();
    return {};
  }
}

TEST(OcrTest, ReadsAScannedPage) {
  PdfWriter pdf;
  pdf.AddPage();
  pdf.Text(60, 100, "The quick brown fox jumps over the", 24);
  pdf.Text(60, 130, "lazy dog.", 24);
  pdf.Text(60, 200, "Another paragraph stands here.", 24);
  const std::string text = Recognise(Scan(pdf.Finish(), 0));
  if (text.empty()) GTEST_SKIP() << "tesseract is not installed";
  EXPECT_EQ(text, "The quick brown fox jumps over the lazy dog.\n\nAnother paragraph stands here.");
}

// The limits of the reader's process forbid writing files: an image on its way to tesseract in one,
// be it in memory, was refused.
TEST(OcrTest, ReadsAScannedPageUnderTheLimitsOfTheReader) {
  PdfWriter pdf;
  pdf.AddPage();
  pdf.Text(60, 100, "The quick brown fox jumps over the", 24);
  const std::string scan = Scan(pdf.Finish(), 0);
  if (Recognise(scan).empty()) GTEST_SKIP() << "tesseract is not installed";
  const TempFolder folder;
  const auto path = folder / "scan.pdf";
  std::ofstream(path, std::ios::binary) << scan;
  const ScopedEnvironment reader("TOME_READER", TOME_READER);
  const UniqueFd fd = OpenForReading(path);
  ReadFileOptions options;
  options.ocr = true;
  EXPECT_EQ(ReadFileInProcess(fd.get(), "scan.pdf", options).text,
            "The quick brown fox jumps over the");
}

TEST(OcrTest, ReadsAScannedChinesePage) {
  const std::string path = "/usr/share/debian-reference/debian-reference.zh-cn.pdf";
  if (!std::filesystem::exists(path)) {
    ASSERT_FALSE(IsCi()) << path << " is missing";
    GTEST_SKIP() << path << " is not installed";
  }
  const UniqueFd fd = OpenForReading(path);
  const std::string text = Recognise(Scan(ReadAll(fd.get(), kMaxInputBytes, path), 42));
  if (text.empty()) GTEST_SKIP() << "tesseract is not installed";
  if (text.find("文件") == std::string::npos) GTEST_SKIP() << "chi_sim is not installed";
  EXPECT_NE(text.find("系统启动早期阶段"), std::string::npos) << text;
}

TEST(OcrTest, ReadsTsvAndSkipsWhatIsNone) {
  const std::vector<Word> words = WordsOfTsv(
      "level\tpage_num\n"
      "4\t1\t1\t1\t1\t0\t0\t0\t900\t60\t-1\t\n"
      "5\t1\t1\t1\t1\t1\t300\t600\t150\t30\t96.5\tlow\n"
      "5\t1\t1\t1\t1\t2\t480\t590\t150\t44\t90\tHigh\n"
      "5\t1\t1\t1\t1\t3\t480\t590\t150\t44\t90\t \n"
      "5\tx\t1\n\n5\t1",
      300);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[1].text, "High");
  EXPECT_FLOAT_EQ(words[0].box.left, 72);
  EXPECT_EQ(words[0].box.top, words[1].box.top);
  EXPECT_TRUE(words[0].space_after);
}

}  // namespace
}  // namespace tome
