// JPEG by libjpeg-turbo. Its default methods (the slow integer DCT, smooth chroma) are those of
// Pillow, with which vision models are trained and tested.
#include <stdio.h>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/images/exif.h"
#include "tome/images/formats.h"

namespace tome {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr std::string_view kExifHeader("Exif\0\0", 6);
constexpr unsigned kMaxMarkerBytes = 0xFFFF;

// The library reports errors by a call that must not return, and jumps out of C code. Therefore
// nothing with a destructor lives in a function that the jump leaves; every step below is such a
// function, over a JpegFile that its caller owns.
struct JpegFile {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  jmp_buf escape{};
  char message[JMSG_LENGTH_MAX] = {};
  Code code = Code::kCorrupt;

  JpegFile() = default;
  JpegFile(const JpegFile&) = delete;
  JpegFile& operator=(const JpegFile&) = delete;
  ~JpegFile() { jpeg_destroy_decompress(&info); }
};

[[noreturn]] void Escape(j_common_ptr info) {
  auto* const file = static_cast<JpegFile*>(info->client_data);
  info->err->format_message(info, file->message);
  switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
      file->code = Code::kOutOfMemory;
      break;
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
      file->code = Code::kUnsupported;
      break;
    default:
      break;
  }
  longjmp(file->escape, 1);
}

// A file that ends early is an error; the library would go on with grey. Other warnings are small
// damage, which browsers show as well.
void OnMessage(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) Escape(info);
}

void OnProgress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  const auto* const decompress = reinterpret_cast<jpeg_decompress_struct*>(info);
  if (decompress->input_scan_number <= kMaxJpegScans) return;
  auto* const file = static_cast<JpegFile*>(info->client_data);
  snprintf(file->message, sizeof file->message, "it has more than %d scans", kMaxJpegScans);
  file->code = Code::kUnsupported;
  longjmp(file->escape, 1);
}

bool ReadHeader(JpegFile& file, const unsigned char* data, unsigned long size) {
  file.info.err = jpeg_std_error(&file.errors);
  file.errors.error_exit = Escape;
  file.errors.emit_message = OnMessage;
  file.info.client_data = &file;
  if (setjmp(file.escape) != 0) return false;
  jpeg_create_decompress(&file.info);
  file.info.mem->max_memory_to_use = kMaxDecodedBytes;
  file.progress.progress_monitor = OnProgress;
  file.info.progress = &file.progress;
  jpeg_save_markers(&file.info, kExifMarker, kMaxMarkerBytes);
  jpeg_mem_src(&file.info, data, size);
  jpeg_read_header(&file.info, TRUE);
  return true;
}

bool StartRows(JpegFile& file) {
  if (setjmp(file.escape) != 0) return false;
  const bool four =
      file.info.jpeg_color_space == JCS_CMYK || file.info.jpeg_color_space == JCS_YCCK;
  file.info.out_color_space = four ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&file.info);
  return true;
}

bool ReadRows(JpegFile& file, unsigned char* out) {
  if (setjmp(file.escape) != 0) return false;
  const size_t stride =
      size_t{file.info.output_width} * static_cast<size_t>(file.info.output_components);
  while (file.info.output_scanline < file.info.output_height) {
    JSAMPROW row = out + stride * file.info.output_scanline;
    jpeg_read_scanlines(&file.info, &row, 1);
  }
  jpeg_finish_decompress(&file.info);
  return true;
}

void Require(bool done, const JpegFile& file) {
  if (done) return;
  throw Error(file.code, std::string("the JPEG image cannot be read: ") + file.message);
}

// The memory of a pixel while it is decoded. A progressive file's coefficients, two bytes each, are
// all kept until the last scan.
int64_t BytesPerPixel(const JpegFile& file) {
  const int64_t channels = std::max(3, file.info.num_components);
  return channels + (file.info.progressive_mode ? 2 * int64_t{file.info.num_components} : 0);
}

ImageSize CheckedSize(const JpegFile& file) {
  const ImageSize size{.width = file.info.image_width, .height = file.info.image_height};
  CheckImageSize(size, BytesPerPixel(file));
  return size;
}

int OrientationOf(const JpegFile& file) {
  for (const jpeg_marker_struct* marker = file.info.marker_list; marker != nullptr;
       marker = marker->next) {
    if (marker->marker != kExifMarker || marker->data_length < kExifHeader.size() ||
        std::memcmp(marker->data, kExifHeader.data(), kExifHeader.size()) != 0) {
      continue;
    }
    return ExifOrientation(
        std::as_bytes(std::span(marker->data, marker->data_length)).subspan(kExifHeader.size()));
  }
  return 1;
}

// Turns CMYK into RGB in place, as a printer without profiles would: ink of each colour takes its
// share of what black leaves. JPEG files hold CMYK the way Adobe writes it, 255 for no ink.
void CmykToRgb(StoredImage& image) {
  const size_t pixels = image.pixels.size() / 4;
  for (size_t i = 0; i < pixels; ++i) {
    const int black = image.pixels[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int ink = 255 - image.pixels[4 * i + c];
      const int taken = (2 * ink * black + 255) / 510;
      image.pixels[3 * i + c] = static_cast<uint8_t>(black - taken);
    }
  }
  image.pixels.resize(3 * pixels);
  image.channels = 3;
}

void OpenJpeg(JpegFile& file, std::span<const std::byte> bytes) {
  Require(ReadHeader(file, reinterpret_cast<const unsigned char*>(bytes.data()),
                     static_cast<unsigned long>(bytes.size())),
          file);
}

}  // namespace

ImageSize JpegSize(std::span<const std::byte> bytes) {
  JpegFile file;
  OpenJpeg(file, bytes);
  return CheckedSize(file);
}

StoredImage DecodeJpeg(std::span<const std::byte> bytes) {
  JpegFile file;
  OpenJpeg(file, bytes);
  StoredImage image{.size = CheckedSize(file), .channels = 3, .pixels = {}, .orientation = 1};
  image.orientation = OrientationOf(file);
  Require(StartRows(file), file);
  image.channels = file.info.output_components;
  TOME_CHECK(image.channels == 3 || image.channels == 4);
  image.pixels.resize(static_cast<size_t>(image.size.width) *
                      static_cast<size_t>(image.size.height) * static_cast<size_t>(image.channels));
  Require(ReadRows(file, image.pixels.data()), file);
  if (image.channels == 4) CmykToRgb(image);
  return image;
}

}  // namespace tome
