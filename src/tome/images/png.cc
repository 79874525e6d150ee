// PNG by libpng.
#include <png.h>
#include <setjmp.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "tome/base/error.h"
#include "tome/images/exif.h"
#include "tome/images/formats.h"

namespace tome {
namespace {

// Limit what ancillary chunks (texts, profiles) may unpack to, and how many are kept.
constexpr png_alloc_size_t kMaxChunkBytes = png_alloc_size_t{1} << 20;
constexpr png_uint_32 kMaxKeptChunks = 64;
constexpr png_uint_32 kMaxSide = 1'000'000;

// The library jumps out of C code on an error, so nothing with a destructor lives in a function
// that the jump leaves (compare jpeg.cc).
struct PngFile {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const unsigned char* data = nullptr;
  size_t left = 0;
  char message[200] = {};

  PngFile() = default;
  PngFile(const PngFile&) = delete;
  PngFile& operator=(const PngFile&) = delete;
  ~PngFile() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto* const file = static_cast<PngFile*>(png_get_error_ptr(png));
  snprintf(file->message, sizeof file->message, "%s", message);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, size_t size) {
  auto* const file = static_cast<PngFile*>(png_get_io_ptr(png));
  if (size > file->left) png_error(png, "the file ends early");
  std::memcpy(out, file->data, size);
  file->data += size;
  file->left -= size;
}

bool OpenFile(PngFile& file) {
  file.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &file, OnError, OnWarning);
  if (file.png == nullptr) return false;
  if (setjmp(png_jmpbuf(file.png)) != 0) return false;
  file.info = png_create_info_struct(file.png);
  if (file.info == nullptr) png_error(file.png, "there is no memory");
  png_set_user_limits(file.png, kMaxSide, kMaxSide);
  png_set_chunk_malloc_max(file.png, kMaxChunkBytes);
  png_set_chunk_cache_max(file.png, kMaxKeptChunks);
  png_set_read_fn(file.png, &file, ReadBytes);
  png_read_info(file.png, file.info);
  return true;
}

// Asks for 8 bits, RGB, and alpha where the file has any.
bool StartRows(PngFile& file) {
  if (setjmp(png_jmpbuf(file.png)) != 0) return false;
  png_set_strip_16(file.png);
  png_set_expand(file.png);  // palettes, fewer than 8 bits, a transparent colour
  png_set_gray_to_rgb(file.png);
  png_set_interlace_handling(file.png);
  png_read_update_info(file.png, file.info);
  return true;
}

bool ReadRows(PngFile& file, png_bytepp rows) {
  if (setjmp(png_jmpbuf(file.png)) != 0) return false;
  png_read_image(file.png, rows);
  png_read_end(file.png, file.info);
  return true;
}

void Require(bool done, const PngFile& file) {
  if (done) return;
  throw Error(Code::kCorrupt, std::string("the PNG image cannot be read: ") + file.message);
}

ImageSize CheckedSize(PngFile& file, int64_t bytes_per_pixel) {
  const ImageSize size{.width = png_get_image_width(file.png, file.info),
                       .height = png_get_image_height(file.png, file.info)};
  CheckImageSize(size, bytes_per_pixel);
  return size;
}

void OpenPng(PngFile& file, std::span<const std::byte> bytes) {
  file.data = reinterpret_cast<const unsigned char*>(bytes.data());
  file.left = bytes.size();
  Require(OpenFile(file), file);
}

int OrientationOf(PngFile& file) {
  png_uint_32 size = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(file.png, file.info, &size, &exif) == 0 || exif == nullptr) return 1;
  return ExifOrientation(std::as_bytes(std::span(exif, size)));
}

}  // namespace

ImageSize PngSize(std::span<const std::byte> bytes) {
  PngFile file;
  OpenPng(file, bytes);
  return CheckedSize(file, 4);
}

StoredImage DecodePng(std::span<const std::byte> bytes) {
  PngFile file;
  OpenPng(file, bytes);
  StoredImage image{.size = CheckedSize(file, 4), .channels = 3, .pixels = {}, .orientation = 1};
  Require(StartRows(file), file);
  image.channels = png_get_channels(file.png, file.info);
  TOME_CHECK((image.channels == 3 || image.channels == 4) &&
             png_get_bit_depth(file.png, file.info) == 8);
  const size_t stride = static_cast<size_t>(image.size.width) * static_cast<size_t>(image.channels);
  image.pixels.resize(stride * static_cast<size_t>(image.size.height));
  std::vector<png_bytep> rows(static_cast<size_t>(image.size.height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = image.pixels.data() + y * stride;
  Require(ReadRows(file, rows.data()), file);
  image.orientation = OrientationOf(file);
  return image;
}

}  // namespace tome
