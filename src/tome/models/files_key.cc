#include "tome/models/files_key.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tome/base/mapped_file.h"

namespace tome {

SnapshotKey FilesKeyOf(const Checkpoint& checkpoint, std::string_view settings,
                       ThreadPool& threads) {
  constexpr size_t kPiece = size_t{16} << 20;
  std::vector<std::span<const std::byte>> pieces;
  for (std::span<const std::byte> file : checkpoint.Files()) {
    for (; file.size() > kPiece; file = file.subspan(kPiece)) pieces.push_back(file.first(kPiece));
    pieces.push_back(file);
  }
  std::vector<std::string> hashes(pieces.size());
  threads.ParallelFor(static_cast<int64_t>(pieces.size()), [&](int64_t i, int) {
    const auto& piece = pieces[static_cast<size_t>(i)];
    hashes[static_cast<size_t>(i)] =
        KeyOf(std::string_view(reinterpret_cast<const char*>(piece.data()), piece.size()))
            .ToString();
    ReleasePages(piece);
  });
  return KeyOf(fmt::format("{} {}", fmt::join(hashes, " "), settings));
}

}  // namespace tome
