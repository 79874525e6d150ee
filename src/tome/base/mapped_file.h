// A file mapped into memory for reading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace tome {

// Move-only; unmaps once. The mapping is private and read-only, its size that of the file when it
// was opened. A file that another program truncates while it is mapped makes reads beyond its new
// end raise SIGBUS, which no reader of maps can prevent: replace model files by renaming.
class MappedFile {
 public:
  // Errors as OpenForReading; an empty file is an empty span.
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

// Lets the system take back what it holds of these bytes of a mapped file, for those who are done
// with them: they are read from the file again when somebody looks.
void ReleasePages(std::span<const std::byte> bytes);

// Asks the system for large pages under these bytes of a mapped file, a whole one best: it cannot
// give any that reach beyond them.
void PreferLargePages(std::span<const std::byte> bytes);

// Brings these bytes of a mapped file into memory, as looking at them would do a few pages at a
// time; returns when they are there.
void PopulatePages(std::span<const std::byte> bytes);

// Asks the system to read these bytes of a mapped file, for those who will look soon; returns at
// once.
void PrefetchPages(std::span<const std::byte> bytes);

}  // namespace tome
