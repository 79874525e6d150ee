// A file mapped into memory for reading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace tome {

// MappedFile is move-only and unmaps once. The mapping is private and read-only, and as long as the
// file was when it was opened. Where another program truncates the file while it is mapped, reads
// beyond its new end raise SIGBUS. No reader of mapped files can prevent that: replace model files
// by renaming.
class MappedFile {
 public:
  // Throws the errors of OpenForReading. An empty file gives an empty span.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void Unmap();
  std::span<const std::byte> bytes_;
};

// Lets the system take back the memory that holds these bytes of a mapped file. Call it when they
// are no longer needed; a later access reads them from the file again. Only pages that lie wholly
// within the bytes are released.
void ReleasePages(std::span<const std::byte> bytes);

// Asks the system for large pages under these bytes of a mapped file. Pass a whole file where
// possible: large pages that reach beyond the bytes cannot be given.
void PreferLargePages(std::span<const std::byte> bytes);

// Reads these bytes of a mapped file into memory and returns when they are there. An access would
// do the same for a few pages at a time.
void PopulatePages(std::span<const std::byte> bytes);

// Asks the system to read these bytes of a mapped file, which will be needed soon. Returns at once.
void PrefetchPages(std::span<const std::byte> bytes);

}  // namespace tome
