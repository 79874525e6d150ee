#include "apps/tome-reader/pdf_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "tests/tome-reader/pdf_writer.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

Document Read(std::string_view bytes, int threads = 1) {
  ReadOptions options;
  options.threads = threads;
  Document document = ReadPdf(bytes, options);
  CheckDocument(document);
  return document;
}

Error ErrorOf(std::string_view bytes) {
  try {
    ReadPdf(bytes, {});
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kIo, "no error");
}

PdfWriter TwoPages() {
  PdfWriter pdf;
  pdf.SetTitle("A small (?) book");
  pdf.AddPage();
  pdf.Text(50, 80, "Chapter One", 20, "Helvetica-Bold");
  pdf.Text(50, 120, "This is the first line of a paragraph that goes on over the end");
  pdf.Text(50, 132, "of its line.");
  pdf.Text(50, 170, "int main() {", 10, "Courier");
  pdf.Text(62, 182, "return 0;", 10, "Courier");
  pdf.Text(50, 194, "}", 10, "Courier");
  pdf.AddPage();
  pdf.Text(50, 80, "Chapter Two", 20, "Helvetica-Bold");
  pdf.Text(50, 120, "The end.");
  pdf.OutlineEntry("Chapter One", 0, 60);
  pdf.OutlineEntry("Chapter Two", 1, 60);
  return pdf;
}

TEST(PdfReaderTest, ReadsTextPagesAndOutline) {
  PdfWriter pdf = TwoPages();
  pdf.SetTitle("A small book");
  const Document document = Read(pdf.Finish());
  EXPECT_EQ(document.format, "pdf");
  EXPECT_EQ(document.title, "A small book");
  EXPECT_EQ(document.text,
            "Chapter One\n\n"
            "This is the first line of a paragraph that goes on over the end of its line.\n\n"
            "int main() {\n  return 0;\n}\n\n"
            "Chapter Two\n\nThe end.");
  ASSERT_EQ(document.sections.size(), 2U);
  EXPECT_EQ(document.sections[1].title, "Chapter Two");
  EXPECT_EQ(document.sections[1].span.begin, document.text.find("Chapter Two"));
  ASSERT_EQ(document.pages.size(), 2U);
  EXPECT_EQ(document.pages[1].span.begin, document.text.find("Chapter Two"));
  EXPECT_TRUE(document.notes.empty());
}

TEST(PdfReaderTest, IgnoresTitlesThatProgramsLeave) {
  for (const std::string_view junk : {"untitled", "Microsoft Word - x", "report.doc", "  "}) {
    PdfWriter pdf = TwoPages();
    pdf.SetTitle(junk);
    EXPECT_EQ(Read(pdf.Finish()).title, "") << junk;
  }
}

TEST(PdfReaderTest, ManyThreadsGiveTheSameDocument) {
  PdfWriter pdf;
  for (int p = 0; p < 100; ++p) {
    pdf.AddPage();
    pdf.Text(50, 100, fmt::format("page {} of many", p));
  }
  const std::string bytes = pdf.Finish();
  const Document one = Read(bytes);
  EXPECT_EQ(one.pages.size(), 100U);
  for (const int threads : {2, 7, 1000}) EXPECT_EQ(Read(bytes, threads), one) << threads;
}

TEST(PdfReaderTest, ReportsProgressAndStops) {
  PdfWriter pdf;
  for (int p = 0; p < 50; ++p) pdf.AddPage();
  const std::string bytes = pdf.Finish();
  std::stop_source source;
  ReadOptions options;
  options.control.stop = source.get_token();
  uint64_t last = 0;
  options.control.progress = [&](std::string_view stage, uint64_t done, uint64_t total) {
    EXPECT_EQ(stage, "reading");
    EXPECT_EQ(total, 50U);
    EXPECT_GT(done, last);
    last = done;
    if (done == 10) source.request_stop();
  };
  try {
    ReadPdf(bytes, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
  EXPECT_EQ(last, 10U);
}

TEST(PdfReaderTest, SaysThatAFileIsEncrypted) {
  PdfWriter pdf = TwoPages();
  pdf.Lock();
  const Error error = ErrorOf(pdf.Finish());
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_NE(std::string_view(error.what()).find("is encrypted; remove the password first"),
            std::string_view::npos);
}

TEST(PdfReaderTest, SaysThatAScanNeedsOcr) {
  PdfWriter pdf;
  pdf.AddPage();
  pdf.Picture(60, 80, std::string(60 * 80, '\x7F'));
  const Error error = ErrorOf(pdf.Finish());
  EXPECT_EQ(error.code(), Code::kUnsupported);
  ASSERT_EQ(error.advice().size(), 1U);
  EXPECT_EQ(error.advice().front(), Advice::Use(Setting::kOcr));
}

TEST(PdfReaderTest, NotesScannedPagesAmongOthers) {
  PdfWriter pdf = TwoPages();
  for (int p = 0; p < 3; ++p) {
    pdf.AddPage();
    pdf.Picture(60, 80, std::string(60 * 80, '\x7F'));
  }
  const Document document = Read(pdf.Finish());
  ASSERT_EQ(document.notes.size(), 1U);
  EXPECT_EQ(document.notes[0],
            Note("pages 3-5 are scans without text",
                 {Advice::Use(Setting::kOcr, {}, "which reads them with tesseract")}));
  EXPECT_EQ(document.pages.size(), 5U);
}

TEST(PdfReaderTest, RejectsMorePagesThanTheLimit) {
  // A tree whose nodes are shared: few objects, many pages.
  const size_t pages = kMaxPages + 1;
  std::string kids;
  for (size_t i = 0; i < pages; ++i) kids += "3 0 R ";
  std::string filler;  // a page count above the number of objects is not believed
  for (size_t i = 0; i < pages; ++i) filler += "0000000000 00000 f \n";
  std::string file =
      "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
      "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n";
  const size_t tree_at = file.size();
  file += fmt::format("2 0 obj\n<< /Type /Pages /Count {} /Kids [{}] >>\nendobj\n", pages, kids);
  const size_t table_at = file.size();
  file += fmt::format(
      "xref\n0 {}\n0000000000 65535 f \n{:010} 00000 n \n{:010} 00000 n \n{:010} 00000 n \n{}"
      "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
      pages + 4, 9, tree_at, file.find("3 0 obj"), filler, pages + 4, table_at);
  const Error error = ErrorOf(file);
  EXPECT_EQ(error.code(), Code::kUnsupported) << error.what();
  EXPECT_NE(std::string_view(error.what()).find("more than 200000 pages"), std::string_view::npos)
      << error.what();
}

TEST(PdfReaderTest, RejectsWhatIsNoPdf) {
  EXPECT_EQ(ErrorOf("").code(), Code::kCorrupt);
  EXPECT_EQ(ErrorOf("%PDF-1.4\n").code(), Code::kCorrupt);
  EXPECT_EQ(ErrorOf(std::string(100'000, 'x')).code(), Code::kCorrupt);
  EXPECT_EQ(ErrorOf(PdfWriter().Finish()).code(), Code::kCorrupt);  // no pages
}

TEST(PdfReaderTest, RepairsOrRejectsTruncatedAndDamagedFiles) {
  const std::string whole = TwoPages().Finish();
  const auto survive = [](std::string_view bytes) {
    try {
      Read(bytes);
    } catch (const Error& error) {
      EXPECT_NE(error.what()[0], '\0');
    }
  };
  for (size_t size = 0; size < whole.size(); size += 13) survive({whole.data(), size});
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 4; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    survive(damaged);
  }
  // Without the place of its table of references the file is repaired.
  EXPECT_NE(
      Read(std::string_view(whole).substr(0, whole.find("startxref"))).text.find("Chapter One"),
      std::string::npos);
}

TEST(PdfReaderTest, DoesNotBelieveAnAbsurdPageCount) {
  std::string lie = TwoPages().Finish();
  const size_t at = lie.find("/Count 2");
  lie.replace(at, 8, "/Count 2000000000");
  EXPECT_EQ(ErrorOf(lie).code(), Code::kCorrupt);  // poppler sees more pages than objects
}

class DebianReferenceTest : public testing::TestWithParam<const char*> {};

TEST_P(DebianReferenceTest, IsReadWhole) {
  const std::string path =
      std::string("/usr/share/debian-reference/debian-reference.") + GetParam() + ".pdf";
  if (!std::filesystem::exists(path)) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string_view(ci) == "true") << path << " is missing";
    GTEST_SKIP() << path << " is not installed";
  }
  const UniqueFd fd = OpenForReading(path);
  const std::string bytes = ReadAll(fd.get(), kMaxInputBytes, path);
  const Document document = Read(bytes, 2);
  const bool chinese = std::string_view(GetParam()) == "zh-cn";
  EXPECT_EQ(document.title, chinese ? "Debian 参考手册" : "Debian Reference");
  EXPECT_EQ(document.pages.size(), chinese ? 251U : 261U);
  EXPECT_GT(document.sections.size(), 400U);
  // Every section of the outline was found at its heading, and most pages know their number.
  const auto at_heading = std::count_if(
      document.sections.begin(), document.sections.end(), [&](const Section& section) {
        return document.text.compare(section.span.begin, section.title.size(), section.title) == 0;
      });
  EXPECT_GT(static_cast<size_t>(at_heading) * 100, document.sections.size() * 97);
  EXPECT_EQ(document.pages[50].label, "23");
  // Headers are gone ("23 / 233" stood on each page), paragraphs are whole.
  EXPECT_EQ(document.text.find(" / 233\n"), std::string::npos);
  EXPECT_EQ(document.text.find(" / 223\n"), std::string::npos);
  const std::string_view paragraph =
      chinese
          ? "命名管道是一个像管道一样的文件。你把内容放进了文件，它从另一端出来。因此，它被称为 "
            "FIFO，即先进先出：你从管道这端先放进去的东西会从另一端先出来。\n\n"
          : "Despite my warnings above, I know many readers of this document may wish to run the "
            "newer testing or unstable suites.";
  EXPECT_NE(document.text.find(paragraph), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Languages, DebianReferenceTest, testing::Values("en", "zh-cn"),
                         [](const auto& test) {
                           return std::string(test.param) == "en" ? "English" : "Chinese";
                         });

}  // namespace
}  // namespace tome
