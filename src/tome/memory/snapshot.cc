#include "tome/memory/snapshot.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "tome/base/error.h"
#include "tome/formats/safetensors.h"
#include "tome/formats/safetensors_writer.h"

namespace tome {
namespace {

constexpr std::string_view kFormat = "tome memory 2";

SnapshotKey FromHash(const XXH128_hash_t& hash) { return {.high = hash.high64, .low = hash.low64}; }

// XXH3, 64 bits, of pieces.
class Checksum {
 public:
  Checksum() : state_(XXH3_createState(), XXH3_freeState) { XXH3_64bits_reset(state_.get()); }
  void Add(const void* data, size_t bytes) { XXH3_64bits_update(state_.get(), data, bytes); }
  void Add(const SnapshotHeader& header) {
    const std::string text =
        fmt::format("{} {} {} {} {} {} {} {} {}\n{}\n{}\n", header.key.ToString(),
                    header.parent.ToString(), header.root.ToString(), header.first,
                    NameOf(header.kv.older), NameOf(header.kv.recent), header.shape.layers,
                    header.shape.kv_heads, header.shape.head_size, header.model, header.title);
    Add(text.data(), text.size());
  }
  uint64_t Digest() const { return XXH3_64bits_digest(state_.get()); }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

class MetadataReader {
 public:
  explicit MetadataReader(const std::map<std::string, std::string>& values) : values_(values) {}

  const std::string& Text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      throw Error(Code::kCorrupt, fmt::format("snapshot: \"{}\" is missing", name));
    }
    return found->second;
  }
  SnapshotKey Key(const std::string& name) const {
    const auto key = SnapshotKey::Parse(Text(name));
    if (!key) throw Error(Code::kCorrupt, fmt::format("snapshot: \"{}\" is no key", name));
    return *key;
  }
  KvType Type(const std::string& name) const {
    const auto type = KvTypeFromName(Text(name));
    if (!type) throw Error(Code::kCorrupt, fmt::format("snapshot: \"{}\" names no type", name));
    return *type;
  }
  template <typename T>
  T Number(const std::string& name, T least, T most, int base = 10) const {
    const std::string& text = Text(name);
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    // Written with small letters: any other byte is damage.
    const bool capital = text.find_first_of("ABCDEF") != std::string::npos;
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most ||
        capital) {
      throw Error(Code::kCorrupt, fmt::format("snapshot: \"{}\" is out of range", name));
    }
    return value;
  }

 private:
  const std::map<std::string, std::string>& values_;
};

}  // namespace

std::string SnapshotKey::ToString() const { return fmt::format("{:016x}{:016x}", high, low); }

std::optional<SnapshotKey> SnapshotKey::Parse(std::string_view text) {
  constexpr size_t kDigits = 16;  // of a half
  if (text.size() != 2 * kDigits) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  SnapshotKey key;
  std::from_chars(text.data(), text.data() + kDigits, key.high, 16);
  std::from_chars(text.data() + kDigits, text.data() + 2 * kDigits, key.low, 16);
  return key;
}

SnapshotKey KeyOf(std::string_view text) {
  return FromHash(XXH3_128bits(text.data(), text.size()));
}

SnapshotKey KeyOf(const SnapshotKey& parent, std::span<const TokenId> tokens) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  XXH3_128bits_update(state.get(), &parent, sizeof parent);
  XXH3_128bits_update(state.get(), tokens.data(), tokens.size_bytes());
  return FromHash(XXH3_128bits_digest(state.get()));
}

StoredPages Snapshot::Stored(std::shared_ptr<const void> owner) const {
  return {.owner = std::move(owner),
          .pages = pages.data(),
          .count = pages_of_layer(),
          .recent = recent.data(),
          .recent_count =
              RecentPagesToStore(header.kv, header.first, static_cast<int64_t>(tokens.size()))};
}

int64_t Snapshot::Usable(int64_t common) const {
  const auto count = static_cast<int64_t>(tokens.size());
  const bool whole = common == kSnapshotTokens;
  const bool recent_there =
      common <= RecentPagesToStore(header.kv, header.first, count) * kKvPageTokens;
  return !header.kv.mixed() || whole || recent_there ? common : 0;
}

bool Snapshot::IsIntact() const {
  Checksum sum;
  sum.Add(header);
  sum.Add(pages.data(), pages.size());
  sum.Add(recent.data(), recent.size());
  sum.Add(tokens.data(), tokens.size() * sizeof(TokenId));
  return sum.Digest() == checksum && header.key == KeyOf(header.parent, tokens);
}

Snapshot ParseSnapshot(std::span<const std::byte> bytes) {
  const SafetensorsFile file = ParseSafetensors(bytes);
  const MetadataReader metadata(file.metadata);
  if (metadata.Text("format") != kFormat) {
    throw Error(Code::kUnsupported, "snapshot: of another version");
  }
  constexpr int64_t kMost = int64_t{1} << 40;
  Snapshot snapshot;
  SnapshotHeader& header = snapshot.header;
  header.key = metadata.Key("key");
  header.parent = metadata.Key("parent");
  header.root = metadata.Key("root");
  header.first = metadata.Number<int64_t>("first", 0, kMost);
  header.kv = {.older = metadata.Type("kv"), .recent = metadata.Type("recent_kv")};
  header.shape = {.layers = metadata.Number<int64_t>("layers", 1, 1 << 16),
                  .kv_heads = metadata.Number<int64_t>("kv_heads", 1, 1 << 16),
                  .head_size = metadata.Number<int64_t>("head_size", 1, kMaxHeadSize)};
  header.model = metadata.Text("model");
  header.title = metadata.Text("title");
  snapshot.checksum = metadata.Number<uint64_t>("checksum", 0, UINT64_MAX, 16);
  for (const SafetensorsTensor& tensor : file.tensors) {
    if (tensor.name == "tokens" && tensor.dtype == DType::kI32 && tensor.shape.rank() == 1) {
      snapshot.tokens.resize(tensor.data.size() / sizeof(TokenId));
      std::memcpy(snapshot.tokens.data(), tensor.data.data(), tensor.data.size());
    } else if (tensor.name == "pages" && tensor.dtype == DType::kU8) {
      snapshot.pages = tensor.data;
    } else if (tensor.name == "recent" && tensor.dtype == DType::kU8) {
      snapshot.recent = tensor.data;
    } else {
      throw Error(Code::kCorrupt, "snapshot: a tensor that does not belong here");
    }
  }
  const auto tokens = static_cast<int64_t>(snapshot.tokens.size());
  if (tokens < 1 || tokens > kSnapshotTokens || header.first % kSnapshotTokens != 0) {
    throw Error(Code::kCorrupt, fmt::format("snapshot: {} tokens at {}", tokens, header.first));
  }
  const int64_t expected = KvBytes(header.shape, header.kv.older, tokens);
  const int64_t recent = RecentPagesToStore(header.kv, header.first, tokens) *
                         KvBytes(header.shape, header.kv.recent, kKvPageTokens);
  if (static_cast<int64_t>(snapshot.pages.size()) != expected ||
      static_cast<int64_t>(snapshot.recent.size()) != recent) {
    throw Error(Code::kCorrupt,
                fmt::format("snapshot: {} and {} bytes of pages instead of {} and {}",
                            snapshot.pages.size(), snapshot.recent.size(), expected, recent));
  }
  return snapshot;
}

std::vector<std::span<const std::byte>> PiecesOf(const PagedKv& kv, bool recent, int64_t first,
                                                 int64_t tokens,
                                                 std::vector<std::vector<std::byte>>& copies) {
  const int64_t first_page = first / kKvPageTokens;
  const int64_t pages = recent ? RecentPagesToStore(kv.types(), first, tokens)
                               : (tokens + kKvPageTokens - 1) / kKvPageTokens;
  const KvType type = recent ? kv.types().recent : kv.types().older;
  std::vector<std::span<const std::byte>> pieces;
  for (int64_t layer = 0; layer < kv.shape().layers; ++layer) {
    for (int64_t page = 0; page < pages; ++page) {
      std::span<const std::byte> bytes = recent ? kv.RecentPageBytes(layer, first_page + page)
                                                : kv.PageBytes(layer, first_page + page);
      TOME_CHECK(!bytes.empty());
      const int64_t used = tokens - page * kKvPageTokens;
      if (used < kKvPageTokens) {
        // What is behind the tokens may belong to later ones.
        std::vector<std::byte>& copy = copies.emplace_back(bytes.begin(), bytes.end());
        kv.ClearSlots(type, used, copy.data());
        bytes = copy;
      }
      pieces.push_back(bytes);
    }
  }
  return pieces;
}

void WriteSnapshot(const std::filesystem::path& path, const SnapshotHeader& header,
                   std::span<const TokenId> tokens, const PagedKv& kv) {
  const auto count = static_cast<int64_t>(tokens.size());
  TOME_CHECK(count >= 1 && count <= kSnapshotTokens && header.first % kSnapshotTokens == 0 &&
             header.first + count <= kv.length() && header.kv == kv.types() &&
             header.shape == kv.shape());
  std::vector<std::vector<std::byte>> copies;
  std::vector<std::span<const std::byte>> pieces = PiecesOf(kv, false, header.first, count, copies);
  const std::vector<std::span<const std::byte>> recent =
      PiecesOf(kv, true, header.first, count, copies);
  std::vector<TensorPlan> tensors{
      {.name = "pages",
       .dtype = DType::kU8,
       .shape = {header.shape.layers, static_cast<int64_t>(pieces.size()) / header.shape.layers,
                 kv.page_bytes()}}};
  if (!recent.empty()) {
    tensors.push_back(
        {.name = "recent",
         .dtype = DType::kU8,
         .shape = {header.shape.layers, static_cast<int64_t>(recent.size()) / header.shape.layers,
                   kv.recent_page_bytes()}});
    pieces.insert(pieces.end(), recent.begin(), recent.end());
  }
  tensors.push_back({.name = "tokens", .dtype = DType::kI32, .shape = {count}});
  Checksum sum;
  sum.Add(header);
  for (const auto& piece : pieces) sum.Add(piece.data(), piece.size());
  sum.Add(tokens.data(), tokens.size_bytes());
  const std::map<std::string, std::string> metadata{
      {"format", std::string(kFormat)},
      {"key", header.key.ToString()},
      {"parent", header.parent.ToString()},
      {"root", header.root.ToString()},
      {"first", std::to_string(header.first)},
      {"kv", std::string(NameOf(header.kv.older))},
      {"recent_kv", std::string(NameOf(header.kv.recent))},
      {"layers", std::to_string(header.shape.layers)},
      {"kv_heads", std::to_string(header.shape.kv_heads)},
      {"head_size", std::to_string(header.shape.head_size)},
      {"model", header.model},
      {"title", header.title},
      {"checksum", fmt::format("{:016x}", sum.Digest())}};
  SafetensorsWriter writer(path, tensors, metadata);
  for (const auto& piece : pieces) writer.Write(piece);
  writer.Write(std::as_bytes(tokens));
  writer.Finish();
}

}  // namespace tome
