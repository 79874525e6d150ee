#include "tome/documents/readers/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct ReaderDeleter {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using ReaderPtr = std::unique_ptr<archive, ReaderDeleter>;

// libarchive converts names to the charset of the thread's locale; in "C" a Chinese name would be
// lost. The guard gives this thread a UTF-8 locale for as long as a pass lasts.
class Utf8LocaleGuard {
 public:
  Utf8LocaleGuard() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) previous_ = uselocale(utf8_);
  }
  ~Utf8LocaleGuard() {
    if (utf8_ == nullptr) return;
    uselocale(previous_);
    freelocale(utf8_);
  }
  Utf8LocaleGuard(const Utf8LocaleGuard&) = delete;
  Utf8LocaleGuard& operator=(const Utf8LocaleGuard&) = delete;
  Utf8LocaleGuard(Utf8LocaleGuard&&) = delete;
  Utf8LocaleGuard& operator=(Utf8LocaleGuard&&) = delete;

 private:
  locale_t utf8_;
  locale_t previous_ = nullptr;
};

std::string Reason(archive* reader) {
  const char* text = archive_error_string(reader);
  // Some texts end in a line end.
  return text != nullptr ? CollapseWhiteSpace(text) : "damaged data";
}

ReaderPtr Open(std::string_view bytes) {
  ReaderPtr reader(archive_read_new());
  if (reader == nullptr) throw Error(Code::kOutOfMemory, "no memory for the archive reader");
  archive_read_support_format_zip_seekable(reader.get());
  if (bytes.empty() ||
      archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    throw Error(Code::kCorrupt, "is not a ZIP archive");
  }
  return reader;
}

std::string NameOf(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  return name != nullptr ? name : "";
}

// Calls `visit(reader, entry, position)` for each header until it returns false.
template <typename Visit>
void ForEachHeader(std::string_view bytes, const Visit& visit) {
  const Utf8LocaleGuard locale;
  const ReaderPtr reader = Open(bytes);
  std::string previous;
  for (uint64_t position = 0;; ++position) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return;
    if (result < ARCHIVE_WARN) {  // a warning is about a name's charset
      if (position == 0) {
        throw Error(Code::kCorrupt,
                    fmt::format("is not a complete ZIP archive ({})", Reason(reader.get())));
      }
      throw Error(Code::kCorrupt, fmt::format("the entry after '{}' is damaged ({})", previous,
                                              Reason(reader.get())));
    }
    if (!visit(reader.get(), entry, position)) return;
    previous = NameOf(entry);
  }
}

void CheckMethod(archive* reader, std::string_view name) {
  // libarchive tells the method only in the format's name: "ZIP 2.0 (deflation)". Its other methods
  // (LZMA, PPMd, …) may ask for gigabytes of memory, and no document format allows them.
  const char* format = archive_format_name(reader);
  const std::string_view method = format != nullptr ? format : "";
  if (method.ends_with("(deflation)") || method.ends_with("(uncompressed)")) return;
  throw Error(Code::kUnsupported,
              fmt::format("'{}' is compressed by a method other than deflate", name));
}

}  // namespace

std::optional<std::string> NormalizeEntryName(std::string_view name) {
  std::string text = NormalizeText(name);
  std::replace(text.begin(), text.end(), '\\', '/');
  std::vector<std::string_view> segments;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view segment = std::string_view(text).substr(begin, end - begin);
    if (segment == "..") {
      if (segments.empty()) return std::nullopt;
      segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    begin = end + 1;
  }
  if (segments.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(segments, "/"));
}

Archive::Archive(std::string_view bytes, const ArchiveLimits& limits)
    : bytes_(bytes), limits_(limits) {
  ForEachHeader(bytes_, [&](archive*, archive_entry* entry, uint64_t position) {
    if (position >= limits_.entries) {
      throw Error(Code::kUnsupported,
                  fmt::format("the archive has more than {} entries", limits_.entries));
    }
    const std::string raw = NameOf(entry);
    if (raw.empty() || raw.back() == '/') return true;  // a folder
    if (auto name = NormalizeEntryName(raw)) positions_.try_emplace(*std::move(name), position);
    return true;
  });
}

bool Archive::Contains(std::string_view name) const {
  return positions_.contains(std::string(name));
}

std::optional<std::string> Archive::Read(std::string_view name) {
  const std::string wanted[] = {std::string(name)};
  Entries entries = ReadAll(wanted);
  if (entries.empty()) return std::nullopt;
  return std::move(entries.begin()->second);
}

std::string Archive::ReadRequired(std::string_view name) {
  std::optional<std::string> content = Read(name);
  if (!content) throw Error(Code::kCorrupt, fmt::format("the archive has no '{}'", name));
  return *std::move(content);
}

Archive::Entries Archive::ReadAll(std::span<const std::string> names) {
  std::unordered_map<uint64_t, const std::string*> wanted;
  for (const std::string& name : names) {
    const auto found = positions_.find(name);
    if (found != positions_.end()) wanted.emplace(found->second, &name);
  }
  Entries entries;
  if (wanted.empty()) return entries;
  ForEachHeader(bytes_, [&](archive* reader, archive_entry* entry, uint64_t position) {
    const auto found = wanted.find(position);
    if (found == wanted.end()) return true;
    entries.emplace(*found->second, Inflate(reader, entry, *found->second));
    return entries.size() < wanted.size();
  });
  return entries;
}

std::string Archive::Inflate(archive* reader, archive_entry* entry, std::string_view name) {
  if (archive_entry_is_encrypted(entry) != 0) {
    throw Error(Code::kUnsupported, fmt::format("'{}' is encrypted", name));
  }
  CheckMethod(reader, name);
  const auto too_large = [&](std::string_view what, uint64_t limit, std::string_view unit) {
    return Error(Code::kUnsupported,
                 fmt::format("'{}' unpacks past the limit {} {}{}", name, what, limit, unit));
  };
  const auto check_size = [&](uint64_t size) {
    if (size > limits_.entry_bytes) throw too_large("of", limits_.entry_bytes, " bytes an entry");
    if (size > limits_.total_bytes - total_bytes_) {
      throw too_large("of", limits_.total_bytes, " bytes an archive");
    }
  };
  if (archive_entry_filetype(entry) != AE_IFREG) {
    throw Error(Code::kUnsupported, fmt::format("'{}' is a folder or a link, not a file", name));
  }
  // The central directory states every size, but libarchive does not compare it in all cases.
  const auto stated_size = static_cast<uint64_t>(std::max<int64_t>(archive_entry_size(entry), 0));
  check_size(stated_size);
  std::string content;
  const int64_t start = archive_filter_bytes(reader, -1);
  while (true) {
    const void* block = nullptr;
    size_t size = 0;
    int64_t offset = 0;
    const int result = archive_read_data_block(reader, &block, &size, &offset);
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK) {
      throw Error(Code::kCorrupt, fmt::format("'{}' is damaged ({})", name, Reason(reader)));
    }
    check_size(content.size() + size);
    content.append(static_cast<const char*>(block), size);
    const auto packed =
        static_cast<uint64_t>(std::max<int64_t>(archive_filter_bytes(reader, -1) - start, 1));
    if (content.size() > limits_.ratio_floor_bytes && content.size() / packed > limits_.ratio) {
      throw too_large("of", limits_.ratio, " times its size in the archive");
    }
  }
  if (content.size() != stated_size) {
    throw Error(Code::kCorrupt, fmt::format("'{}' is damaged ({} bytes instead of {})", name,
                                            content.size(), stated_size));
  }
  total_bytes_ += content.size();
  return content;
}

}  // namespace tome
