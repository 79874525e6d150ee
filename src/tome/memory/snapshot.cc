#include "tome/memory/snapshot.h"

#include <fmt/format.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the same functions with the processor's widest vectors
#else
#include <xxhash.h>
#endif

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/formats/safetensors.h"
#include "tome/formats/safetensors_writer.h"

namespace tome {
namespace {

constexpr std::string_view kFormat = "tome memory 2";
constexpr std::string_view kStateFormat = "tome state 1";
constexpr int64_t kMostTokens = int64_t{1} << 40;
constexpr int64_t kMostLayers = 1 << 16;

SnapshotKey FromHash(const XXH128_hash_t& hash) { return {.high = hash.high64, .low = hash.low64}; }

std::string Joined(const std::vector<std::string>& documents) {
  return fmt::format("{}", fmt::join(documents, " "));
}

// Computes XXH3, 64 bits, over pieces.
class Checksum {
 public:
  Checksum() : state_(XXH3_createState(), XXH3_freeState) { XXH3_64bits_reset(state_.get()); }
  void Add(const void* data, size_t bytes) { XXH3_64bits_update(state_.get(), data, bytes); }
  // Adds a mapped file. Each step is brought into memory at once, while the system reads what
  // follows.
  void AddMapped(std::span<const std::byte> bytes) {
    constexpr size_t kStep = size_t{2} << 20;
    while (!bytes.empty()) {
      const auto step = bytes.first(std::min(kStep, bytes.size()));
      PopulatePages(step);
      Add(step);
      bytes = bytes.subspan(step.size());
    }
  }
  void Add(const SnapshotHeader& header) {
    const std::string text =
        fmt::format("{} {} {} {} {} {} {} {} {}\n{}\n{}\n", header.key.ToString(),
                    header.parent.ToString(), header.root.ToString(), header.first,
                    NameOf(header.kv.main), NameOf(header.kv.local), header.shape.layers,
                    header.shape.kv_heads, header.shape.head_size, header.model, header.title);
    Add(text.data(), text.size());
    AddDocuments(header.documents);
  }
  void Add(const StateHeader& header) {
    const std::string text =
        fmt::format("{} {} {} {} {} {}\n{}\n{}\n", header.key.ToString(), header.root.ToString(),
                    header.position, header.shape.layers, header.shape.window, header.shape.state,
                    header.model, header.title);
    Add(text.data(), text.size());
    AddDocuments(header.documents);
  }
  void Add(std::span<const std::byte> bytes) { Add(bytes.data(), bytes.size()); }
  uint64_t Digest() const { return XXH3_64bits_digest(state_.get()); }

 private:
  // Adds nothing without documents, so that files from before these were named keep their
  // checksums.
  void AddDocuments(const std::vector<std::string>& documents) {
    const std::string text = Joined(documents);
    Add(text.data(), text.size());
  }

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
  // Empty where no document is named.
  std::vector<std::string> Documents() const {
    std::vector<std::string> documents;
    const auto found = values_.find("documents");
    if (found == values_.end()) return documents;
    for (std::string_view rest = found->second;;) {
      const size_t end = std::min(rest.find(' '), rest.size());
      documents.emplace_back(rest.substr(0, end));
      if (end == rest.size()) return documents;
      rest.remove_prefix(end + 1);
    }
  }
  void CheckFormat(std::string_view format) const {
    if (Text("format") != format) {
      throw Error(Code::kUnsupported, "snapshot: of another version");
    }
  }
  uint64_t Checksum() const { return Number<uint64_t>("checksum", 0, UINT64_MAX, 16); }
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
    // Numbers are written in lower case; a capital letter is damage.
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
  constexpr size_t kDigits = 16;  // of one half
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
          .local = local.data(),
          .local_count =
              LocalPagesToStore(header.kv, header.first, static_cast<int64_t>(tokens.size()))};
}

int64_t Snapshot::Usable(int64_t common) const {
  const auto count = static_cast<int64_t>(tokens.size());
  const bool whole = common == kSnapshotTokens;
  const bool local_there =
      common <= LocalPagesToStore(header.kv, header.first, count) * kKvPageTokens;
  return !header.kv.mixed() || whole || local_there ? common : 0;
}

bool Snapshot::IsIntact() const {
  Checksum sum;
  sum.Add(header);
  sum.AddMapped(pages);
  sum.AddMapped(local);
  sum.Add(std::as_bytes(std::span(tokens)));
  return sum.Digest() == checksum && header.key == KeyOf(header.parent, tokens);
}

Snapshot ParseSnapshot(std::span<const std::byte> bytes) {
  const SafetensorsFile file = ParseSafetensors(bytes);
  const MetadataReader metadata(file.metadata);
  metadata.CheckFormat(kFormat);
  Snapshot snapshot;
  SnapshotHeader& header = snapshot.header;
  header.key = metadata.Key("key");
  header.parent = metadata.Key("parent");
  header.root = metadata.Key("root");
  header.first = metadata.Number<int64_t>("first", 0, kMostTokens);
  header.kv = {.main = metadata.Type("kv"), .local = metadata.Type("recent_kv")};
  const auto layers = metadata.Number<int64_t>("layers", 0, kMostLayers);
  const int64_t least = layers > 0 ? 1 : 0;
  header.shape = {.layers = layers,
                  .kv_heads = metadata.Number<int64_t>("kv_heads", least, least << 16),
                  .head_size = metadata.Number<int64_t>("head_size", least, least * kMaxHeadSize)};
  header.model = metadata.Text("model");
  header.title = metadata.Text("title");
  header.documents = metadata.Documents();
  snapshot.checksum = metadata.Checksum();
  for (const SafetensorsTensor& tensor : file.tensors) {
    if (tensor.name == "tokens" && tensor.dtype == DType::kI32 && tensor.shape.rank() == 1) {
      snapshot.tokens.resize(tensor.data.size() / sizeof(TokenId));
      std::memcpy(snapshot.tokens.data(), tensor.data.data(), tensor.data.size());
    } else if (tensor.name == "pages" && tensor.dtype == DType::kU8) {
      snapshot.pages = tensor.data;
    } else if (tensor.name == "recent" && tensor.dtype == DType::kU8) {
      snapshot.local = tensor.data;
    } else {
      throw Error(Code::kCorrupt, "snapshot: a tensor that does not belong here");
    }
  }
  const auto tokens = static_cast<int64_t>(snapshot.tokens.size());
  if (tokens < 1 || tokens > kSnapshotTokens || header.first % kSnapshotTokens != 0) {
    throw Error(Code::kCorrupt, fmt::format("snapshot: {} tokens at {}", tokens, header.first));
  }
  const int64_t expected = KvBytes(header.shape, header.kv.main, tokens);
  const int64_t local = LocalPagesToStore(header.kv, header.first, tokens) *
                        KvBytes(header.shape, header.kv.local, kKvPageTokens);
  if (static_cast<int64_t>(snapshot.pages.size()) != expected ||
      static_cast<int64_t>(snapshot.local.size()) != local) {
    throw Error(Code::kCorrupt,
                fmt::format("snapshot: {} and {} bytes of pages instead of {} and {}",
                            snapshot.pages.size(), snapshot.local.size(), expected, local));
  }
  return snapshot;
}

std::vector<std::span<const std::byte>> PiecesOf(const PagedKv& kv, PageType of, int64_t first,
                                                 int64_t tokens,
                                                 std::vector<std::vector<std::byte>>& copies) {
  const bool local = of == PageType::kLocal;
  const int64_t first_page = first / kKvPageTokens;
  const int64_t pages = local ? LocalPagesToStore(kv.types(), first, tokens)
                              : (tokens + kKvPageTokens - 1) / kKvPageTokens;
  const KvType type = local ? kv.types().local : kv.types().main;
  std::vector<std::span<const std::byte>> pieces;
  for (int64_t layer = 0; layer < kv.shape().layers; ++layer) {
    for (int64_t page = 0; page < pages; ++page) {
      std::span<const std::byte> bytes = local ? kv.LocalPageBytes(layer, first_page + page)
                                               : kv.PageBytes(layer, first_page + page);
      TOME_CHECK(!bytes.empty());
      const int64_t used = tokens - page * kKvPageTokens;
      if (used < kKvPageTokens) {
        // Slots after the last token may hold other tokens.
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
                   std::span<const TokenId> tokens, const PagedKv* kv) {
  const auto count = static_cast<int64_t>(tokens.size());
  TOME_CHECK(count >= 1 && count <= kSnapshotTokens && header.first % kSnapshotTokens == 0);
  std::vector<std::vector<std::byte>> copies;
  std::vector<std::span<const std::byte>> pieces;
  std::vector<TensorPlan> tensors;
  if (kv != nullptr) {
    TOME_CHECK(header.first + count <= kv->length() && header.kv == kv->types() &&
               header.shape == kv->shape());
    const int64_t layers = header.shape.layers;
    pieces = PiecesOf(*kv, PageType::kMain, header.first, count, copies);
    tensors.push_back(
        {.name = "pages",
         .dtype = DType::kU8,
         .shape = {layers, static_cast<int64_t>(pieces.size()) / layers, kv->page_bytes()}});
    const std::vector<std::span<const std::byte>> local =
        PiecesOf(*kv, PageType::kLocal, header.first, count, copies);
    if (!local.empty()) {
      tensors.push_back(
          {.name = "recent",
           .dtype = DType::kU8,
           .shape = {layers, static_cast<int64_t>(local.size()) / layers, kv->local_page_bytes()}});
      pieces.insert(pieces.end(), local.begin(), local.end());
    }
  }
  tensors.push_back({.name = "tokens", .dtype = DType::kI32, .shape = {count}});
  Checksum sum;
  sum.Add(header);
  for (const auto& piece : pieces) sum.Add(piece);
  sum.Add(std::as_bytes(tokens));
  std::map<std::string, std::string> metadata{{"format", std::string(kFormat)},
                                              {"key", header.key.ToString()},
                                              {"parent", header.parent.ToString()},
                                              {"root", header.root.ToString()},
                                              {"first", std::to_string(header.first)},
                                              {"kv", std::string(NameOf(header.kv.main))},
                                              {"recent_kv", std::string(NameOf(header.kv.local))},
                                              {"layers", std::to_string(header.shape.layers)},
                                              {"kv_heads", std::to_string(header.shape.kv_heads)},
                                              {"head_size", std::to_string(header.shape.head_size)},
                                              {"model", header.model},
                                              {"title", header.title},
                                              {"checksum", fmt::format("{:016x}", sum.Digest())}};
  if (!header.documents.empty()) metadata.emplace("documents", Joined(header.documents));
  SafetensorsWriter writer(path, tensors, metadata);
  for (const auto& piece : pieces) writer.Write(piece);
  writer.Write(std::as_bytes(tokens));
  writer.Finish();
}

bool StateSnapshot::IsIntact() const {
  Checksum sum;
  sum.Add(header);
  sum.Add(states);
  return sum.Digest() == checksum;
}

StateSnapshot ParseStateSnapshot(std::span<const std::byte> bytes) {
  const SafetensorsFile file = ParseSafetensors(bytes);
  const MetadataReader metadata(file.metadata);
  metadata.CheckFormat(kStateFormat);
  StateSnapshot snapshot;
  StateHeader& header = snapshot.header;
  header.key = metadata.Key("key");
  header.root = metadata.Key("root");
  header.position = metadata.Number<int64_t>("position", 1, kMostTokens);
  header.model = metadata.Text("model");
  header.title = metadata.Text("title");
  header.documents = metadata.Documents();
  snapshot.checksum = metadata.Checksum();
  if (file.tensors.size() != 1 || file.tensors.front().name != "states" ||
      file.tensors.front().dtype != DType::kF32 || file.tensors.front().shape.rank() != 2) {
    throw Error(Code::kCorrupt, "snapshot: its one tensor should be the states, [layers, floats]");
  }
  const SafetensorsTensor& states = file.tensors.front();
  header.shape.layers = states.shape[0];
  const int64_t floats = states.shape[1];
  if (header.shape.layers < 1 || header.shape.layers > kMostLayers || floats < 1) {
    throw Error(Code::kCorrupt, fmt::format("snapshot: states of {} layers, {} floats each",
                                            header.shape.layers, floats));
  }
  header.shape.window = metadata.Number<int64_t>("window", 0, floats - 1);
  header.shape.state = floats - header.shape.window;
  snapshot.states = states.data;
  return snapshot;
}

std::vector<std::span<const std::byte>> PiecesOf(const Recurrent& states) {
  std::vector<std::span<const std::byte>> pieces;
  for (int64_t layer = 0; layer < states.shape().layers; ++layer) {
    const Recurrent::LayerView view = states.View(layer);
    pieces.push_back(std::as_bytes(view.window));
    pieces.push_back(std::as_bytes(view.state));
  }
  return pieces;
}

void WriteStateSnapshot(const std::filesystem::path& path, const StateHeader& header,
                        const Recurrent& states) {
  TOME_CHECK(header.position > 0 && header.position == states.length() &&
             header.shape == states.shape());
  const std::vector<std::span<const std::byte>> pieces = PiecesOf(states);
  Checksum sum;
  sum.Add(header);
  for (const auto& piece : pieces) sum.Add(piece);
  const std::vector<TensorPlan> tensors{
      {.name = "states",
       .dtype = DType::kF32,
       .shape = {header.shape.layers, header.shape.window + header.shape.state}}};
  std::map<std::string, std::string> metadata{{"format", std::string(kStateFormat)},
                                              {"key", header.key.ToString()},
                                              {"root", header.root.ToString()},
                                              {"position", std::to_string(header.position)},
                                              {"window", std::to_string(header.shape.window)},
                                              {"model", header.model},
                                              {"title", header.title},
                                              {"checksum", fmt::format("{:016x}", sum.Digest())}};
  if (!header.documents.empty()) metadata.emplace("documents", Joined(header.documents));
  SafetensorsWriter writer(path, tensors, metadata);
  for (const auto& piece : pieces) writer.Write(piece);
  writer.Finish();
}

}  // namespace tome
