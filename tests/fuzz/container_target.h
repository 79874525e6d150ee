// Shared by the fuzz targets of formats in a ZIP container. Raw bytes rarely pass the checksums of
// a ZIP file, so the first byte chooses what the other bytes are: the file itself, or one part of a
// fresh archive whose other parts are whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/documents/readers/zip_writer.h"
#include "tests/fuzz/reader_target.h"

namespace tome {

// `names` are the parts that the input may be. The entries of `others` with another name are put
// beside the input.
inline int FuzzContainer(ReaderFn read, const std::vector<std::string>& names,
                         const std::vector<ZipEntry>& others, const uint8_t* data, size_t size) {
  if (size == 0) return FuzzReader(read, data, size);
  const size_t choice = data[0] % (names.size() + 1);
  if (choice == 0) return FuzzReader(read, data + 1, size - 1);
  const std::string& name = names[choice - 1];
  std::vector<ZipEntry> entries{
      {name, std::string(reinterpret_cast<const char*>(data + 1), size - 1)}};
  for (const ZipEntry& entry : others) {
    if (entry.name != name) entries.push_back(entry);
  }
  const std::string zip = WriteZip(entries, ZipMethod::kStored);
  return FuzzReader(read, reinterpret_cast<const uint8_t*>(zip.data()), zip.size());
}

}  // namespace tome
