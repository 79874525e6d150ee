// Makes ZIP files in memory, so that a test shows its whole input in its source.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/error.h"

namespace tome {

struct ZipEntry {
  std::string name;
  std::string content;
};

enum class ZipMethod { kStored, kDeflated };

inline std::string WriteZip(const std::vector<ZipEntry>& entries,
                            ZipMethod method = ZipMethod::kDeflated,
                            const std::string& password = {}) {
  // libarchive marks names as UTF-8 in a UTF-8 locale only.
  const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t previous = uselocale(utf8);
  std::string zip;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_set_bytes_in_last_block(writer, 1);  // no padding after the end
  archive_write_set_options(
      writer, method == ZipMethod::kStored ? "zip:compression=store" : "zip:compression=deflate");
  if (!password.empty()) {
    archive_write_set_options(writer, "zip:encryption=zipcrypt");
    archive_write_set_passphrase(writer, password.c_str());
  }
  const auto append = [](archive*, void* out, const void* data, size_t size) -> la_ssize_t {
    static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  };
  TOME_CHECK(archive_write_open(writer, &zip, nullptr, append, nullptr) == ARCHIVE_OK);
  for (const ZipEntry& entry : entries) {
    archive_entry* header = archive_entry_new();
    archive_entry_set_pathname(header, entry.name.c_str());
    archive_entry_set_filetype(header, AE_IFREG);
    archive_entry_set_perm(header, 0644);
    archive_entry_set_size(header, static_cast<int64_t>(entry.content.size()));
    TOME_CHECK(archive_write_header(writer, header) >= ARCHIVE_WARN);
    archive_write_data(writer, entry.content.data(), entry.content.size());
    archive_entry_free(header);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  uselocale(previous);
  freelocale(utf8);
  return zip;
}

}  // namespace tome
