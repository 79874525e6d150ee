#include "tome/documents/readers/archive.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <chrono>
#include <functional>
#include <random>

#include "tests/documents/readers/zip_writer.h"
#include "tome/base/error.h"

namespace tome {
namespace {

Error ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kInvalidArgument, "");
}

void Put(std::string& out, uint64_t value, int width) {
  for (int i = 0; i < width; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) & 0xFF : 0);
}

// RawZip is a ZIP file with one entry, for fields that no honest writer makes.
struct RawZip {
  std::string name = "a.xml";
  std::string packed;
  uint32_t method = 0;
  uint32_t flags = 0;
  uint32_t crc = 0;
  uint32_t packed_size = 0;
  uint32_t size = 0;

  std::string Bytes() const {
    std::string out;
    Put(out, 0x04034B50, 4);
    PutCommon(out);
    out += name + packed;
    const size_t directory = out.size();
    Put(out, 0x02014B50, 4);
    Put(out, 20, 2);
    PutCommon(out);
    Put(out, 0, 14);  // comment, disk, attributes, offset
    out += name;
    const size_t directory_size = out.size() - directory;
    Put(out, 0x06054B50, 4);
    Put(out, 0, 4);
    Put(out, 1, 2);
    Put(out, 1, 2);
    Put(out, directory_size, 4);
    Put(out, directory, 4);
    Put(out, 0, 2);
    return out;
  }

 private:
  void PutCommon(std::string& out) const {
    Put(out, 20, 2);
    Put(out, flags, 2);
    Put(out, method, 2);
    Put(out, 0, 4);
    Put(out, crc, 4);
    Put(out, packed_size, 4);
    Put(out, size, 4);
    Put(out, name.size(), 2);
    Put(out, 0, 2);
  }
};

// Returns a deflate stream of `count` times 16 MiB of zeros, made by repeating one flushed block.
std::string DeflatedZeros(int count) {
  const std::string zeros(size_t{16} << 20, '\0');
  std::string block(size_t{64} << 10, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
  stream.avail_in = static_cast<uInt>(zeros.size());
  stream.next_out = reinterpret_cast<Bytef*>(block.data());
  stream.avail_out = static_cast<uInt>(block.size());
  deflate(&stream, Z_FULL_FLUSH);
  block.resize(block.size() - stream.avail_out);
  deflateEnd(&stream);
  std::string packed;
  for (int i = 0; i < count; ++i) packed += block;
  return packed + std::string("\x03\x00", 2);  // an empty last block
}

int64_t PeakMemoryBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

TEST(NormalizeEntryNameTest, ResolvesDotsAndRefusesToClimb) {
  EXPECT_EQ(NormalizeEntryName("a/b.xml"), "a/b.xml");
  EXPECT_EQ(NormalizeEntryName("/a//./b.xml"), "a/b.xml");
  EXPECT_EQ(NormalizeEntryName("a\\b.xml"), "a/b.xml");
  EXPECT_EQ(NormalizeEntryName("a/../b.xml"), "b.xml");
  EXPECT_EQ(NormalizeEntryName("e\xCC\x81.xml"), "\xC3\xA9.xml");
  EXPECT_EQ(NormalizeEntryName("../b.xml"), std::nullopt);
  EXPECT_EQ(NormalizeEntryName("a/../../b.xml"), std::nullopt);
  EXPECT_EQ(NormalizeEntryName("..\\b.xml"), std::nullopt);
  EXPECT_EQ(NormalizeEntryName("."), std::nullopt);
  EXPECT_EQ(NormalizeEntryName(""), std::nullopt);
}

TEST(ArchiveTest, ReadsEntriesByName) {
  for (const ZipMethod method : {ZipMethod::kStored, ZipMethod::kDeflated}) {
    const std::string zip = WriteZip(
        {{"one.txt", "first"}, {"文档/第一章.xhtml", "章"}, {"empty", ""}, {"z", "last"}}, method);
    Archive archive(zip);
    EXPECT_TRUE(archive.Contains("one.txt"));
    EXPECT_FALSE(archive.Contains("two.txt"));
    EXPECT_EQ(archive.Read("z"), "last");
    EXPECT_EQ(archive.Read("one.txt"), "first");
    EXPECT_EQ(archive.Read("文档/第一章.xhtml"), "章");
    EXPECT_EQ(archive.Read("empty"), "");
    EXPECT_EQ(archive.Read("two.txt"), std::nullopt);
    const std::vector<std::string> names = {"z", "no", "one.txt", "z"};
    EXPECT_EQ(archive.ReadAll(names), (Archive::Entries{{"one.txt", "first"}, {"z", "last"}}));
    const Error error = ErrorOf([&] { archive.ReadRequired("two.txt"); });
    EXPECT_EQ(error.code(), Code::kCorrupt);
    EXPECT_STREQ(error.what(), "the archive has no 'two.txt'");
  }
}

TEST(ArchiveTest, NormalizesNamesAndNeverMatchesOnesThatClimbOut) {
  const std::string zip = WriteZip({{"./a\\b.xml", "backslash"},
                                    {"../../etc/passwd", "climbs"},
                                    {"x/../../evil", "climbs too"},
                                    {"/top", "absolute"},
                                    {"a/b.xml", "second of its name"}});
  Archive archive(zip);
  EXPECT_EQ(archive.Read("a/b.xml"), "backslash");
  EXPECT_EQ(archive.Read("top"), "absolute");
  for (const char* name : {"../../etc/passwd", "etc/passwd", "evil", "../evil"}) {
    EXPECT_FALSE(archive.Contains(name)) << name;
    EXPECT_EQ(archive.Read(name), std::nullopt) << name;
  }
}

TEST(ArchiveTest, DoesNotInflateWhatNobodyAskedFor) {
  std::string zip = WriteZip({{"media.png", "image"}, {"text.xml", "text"}}, ZipMethod::kStored);
  zip[zip.find("image")] = '?';
  Archive archive(zip);
  EXPECT_EQ(archive.Read("text.xml"), "text");
  const Error error = ErrorOf([&] { archive.Read("media.png"); });
  EXPECT_EQ(error.code(), Code::kCorrupt);
  EXPECT_NE(std::string(error.what()).find("media.png"), std::string::npos) << error.what();
}

TEST(ArchiveTest, RefusesWhatIsNoZip) {
  for (const std::string& bytes :
       {std::string(), std::string("PK"), std::string("hello world"), std::string(5000, '\0'),
        std::string("\x1F\x8B\x08\0\0\0\0\0\0\3", 10), std::string("Rar!\x1A\7\0", 7)}) {
    EXPECT_EQ(ErrorOf([&] { Archive archive(bytes); }).code(), Code::kCorrupt);
  }
}

TEST(ArchiveTest, RefusesAnArchiveThatIsCutOffAnywhere) {
  const std::string zip = WriteZip({{"a.xml", "<a>text</a>"}, {"b.xml", std::string(300, 'b')}});
  for (size_t size = 0; size < zip.size(); ++size) {
    const Error error = ErrorOf([&] {
      Archive archive(std::string_view(zip).substr(0, size));
      archive.Read("b.xml");
    });
    EXPECT_EQ(error.code(), Code::kCorrupt) << size << ": " << error.what();
  }
}

TEST(ArchiveTest, RefusesEncryptedEntries) {
  const std::string zip = WriteZip({{"a.xml", "secret"}}, ZipMethod::kDeflated, "password");
  Archive archive(zip);
  const Error error = ErrorOf([&] { archive.Read("a.xml"); });
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_STREQ(error.what(), "'a.xml' is encrypted");
}

TEST(ArchiveTest, RefusesOtherMethodsOfCompression) {
  for (const uint32_t method : {1U, 9U, 12U, 14U, 93U, 95U, 98U, 99U}) {
    const std::string zip =
        RawZip{.packed = "abcd", .method = method, .packed_size = 4, .size = 4}.Bytes();
    Archive archive(zip);
    EXPECT_EQ(ErrorOf([&] { archive.Read("a.xml"); }).code(), Code::kUnsupported) << method;
  }
}

TEST(ArchiveTest, RefusesAWrongChecksum) {
  const std::string zip = RawZip{.packed = "abcd", .crc = 1, .packed_size = 4, .size = 4}.Bytes();
  Archive archive(zip);
  EXPECT_EQ(ErrorOf([&] { archive.Read("a.xml"); }).code(), Code::kCorrupt);
}

TEST(ArchiveTest, StopsAtTheLimits) {
  const std::string zip = WriteZip({{"a", std::string(100, 'a')}, {"b", std::string(100, 'b')}});
  {
    Archive archive(zip, {.entry_bytes = 99});
    const Error error = ErrorOf([&] { archive.Read("b"); });
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_STREQ(error.what(), "'b' unpacks past the limit of 99 bytes an entry");
  }
  {
    Archive archive(zip, {.total_bytes = 199});
    EXPECT_EQ(archive.Read("a")->size(), 100U);
    const Error error = ErrorOf([&] { archive.Read("b"); });
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_STREQ(error.what(), "'b' unpacks past the limit of 199 bytes an archive");
  }
  const Error error = ErrorOf([&] { Archive archive(zip, {.entries = 1}); });
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_STREQ(error.what(), "the archive has more than 1 entries");
  EXPECT_NO_THROW(Archive(zip, {.entries = 2}));
}

// The file has 10 GiB of zeros in 10 MiB, whatever size its header states.
TEST(ArchiveTest, StopsAtABombAtOnceWithBoundedMemory) {
  const std::string packed = DeflatedZeros(640);
  ASSERT_LT(packed.size(), size_t{11} << 20);
  for (const uint32_t size : {0U, 1000U, 100U << 20, 0xFFFFFFFEU}) {
    const std::string zip = RawZip{.packed = packed,
                                   .method = 8,
                                   .packed_size = static_cast<uint32_t>(packed.size()),
                                   .size = size}
                                .Bytes();
    Archive archive(zip);
    const int64_t memory = PeakMemoryBytes();
    const auto start = std::chrono::steady_clock::now();
    const Error error = ErrorOf([&] { archive.Read("a.xml"); });
    EXPECT_EQ(error.code(), Code::kUnsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find("'a.xml' unpacks past the limit"), std::string::npos)
        << error.what();
    EXPECT_LT(PeakMemoryBytes() - memory, int64_t{160} << 20) << size;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  }
}

TEST(ArchiveTest, AdmitsARepetitiveTextBelowTheFloorOfTheRatio) {
  const std::string text(size_t{8} << 20, 'a');
  const std::string zip = WriteZip({{"a", text}});
  ASSERT_LT(zip.size() * kMaxArchiveRatio, text.size());
  Archive archive(zip);
  EXPECT_EQ(archive.Read("a"), text);
}

// Changing one byte of a header leaves the entry's content as it was, or is an error.
TEST(ArchiveTest, NoLieOfAHeaderChangesTheContent) {
  const ZipEntry entry{"name.xml", "<a>some text that is compressed, compressed</a>"};
  for (const ZipMethod method : {ZipMethod::kStored, ZipMethod::kDeflated}) {
    const std::string zip = WriteZip({entry, {"other", "other"}}, method);
    int errors = 0;
    for (size_t i = 0; i < zip.size(); ++i) {
      for (const unsigned value : {0U, 1U, 0x7FU, 0x80U, 0xFFU}) {
        std::string lie = zip;
        lie[i] = static_cast<char>(value);
        try {
          Archive archive(lie);
          const auto content = archive.Read(entry.name);
          if (content) {
            EXPECT_EQ(*content, entry.content) << "byte " << i << " is " << value;
          }
        } catch (const Error& error) {
          EXPECT_TRUE(error.code() == Code::kCorrupt || error.code() == Code::kUnsupported)
              << error.what();
          ++errors;
        }
      }
    }
    EXPECT_GT(errors, 100);
  }
}

}  // namespace
}  // namespace tome
