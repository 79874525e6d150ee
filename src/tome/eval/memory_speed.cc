#include "tome/eval/memory_speed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/base/mapped_file.h"
#include "tome/eval/median.h"
#include "tome/eval/random_tokens.h"
#include "tome/generate/session.h"
#include "tome/generate/synthetic_memory.h"

namespace tome {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Bytes of one read. Larger reads do not make disks faster.
constexpr int64_t kPiece = int64_t{4} << 20;
// The page cache counts as cold with at most this share of the files' pages in it.
constexpr double kCold = 0.01;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A folder of its own, which is removed at the end with all its files.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& parent) {
    std::error_code error;
    fs::create_directories(parent, error);
    if (error) throw SystemError(parent.string(), error.value());
    std::string name = (parent / "bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw SystemError(name, errno);
    path_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Stored {
  fs::path path;
  int64_t bytes = 0;
};

std::vector<Stored> FilesOf(const fs::path& folder) {
  std::vector<Stored> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.push_back({entry.path(), static_cast<int64_t>(entry.file_size())});
  }
  return files;
}

// Returns the share of the files' pages that lie in the page cache.
double CachedShare(const std::vector<Stored>& files) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  int64_t cached = 0;
  int64_t all = 0;
  for (const Stored& file : files) {
    const MappedFile map(file.path);
    const size_t pages = (map.bytes().size() + page - 1) / page;
    std::vector<unsigned char> there(pages);
    auto* const begin = const_cast<std::byte*>(map.bytes().data());
    if (::mincore(begin, map.bytes().size(), there.data()) != 0) return 1;
    cached += std::ranges::count_if(there, [](unsigned char flags) { return (flags & 1) != 0; });
    all += static_cast<int64_t>(pages);
  }
  return static_cast<double>(cached) / static_cast<double>(std::max<int64_t>(all, 1));
}

// Asks the system to drop the files from its page cache. Returns whether it has done so.
bool DropFromCache(const std::vector<Stored>& files) {
  for (const Stored& file : files) {
    const UniqueFd fd = OpenForReading(file.path);
    if (::fsync(fd.get()) != 0) throw SystemError(file.path.string(), errno);
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  return CachedShare(files) <= kCold;
}

// Opens a file past the page cache, which is the fastest way, where the file system allows it.
UniqueFd OpenUncached(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
  return fd.valid() ? std::move(fd) : OpenForReading(path);
}

void ReadPlainly(const std::vector<Stored>& files, ThreadPool& threads) {
  std::vector<std::pair<size_t, int64_t>> pieces;  // index of the file, first byte
  std::vector<UniqueFd> open;
  for (size_t i = 0; i < files.size(); ++i) {
    open.push_back(OpenUncached(files[i].path));
    for (int64_t at = 0; at < files[i].bytes; at += kPiece) pieces.emplace_back(i, at);
  }
  constexpr size_t kAlignment = 4096;  // of reads past the page cache
  using Buffer = std::unique_ptr<void, decltype(&std::free)>;
  std::vector<Buffer> buffers;
  for (int i = 0; i < threads.threads(); ++i) {
    buffers.emplace_back(std::aligned_alloc(kAlignment, static_cast<size_t>(kPiece)), &std::free);
    if (!buffers.back())
      throw Error(Code::kOutOfMemory, "there is no memory to read the disk into");
  }
  threads.ParallelFor(std::ssize(pieces), [&](int64_t piece, int worker) {
    const auto [file, begin] = pieces[static_cast<size_t>(piece)];
    const int64_t end = std::min(begin + kPiece, files[file].bytes);
    for (int64_t at = begin; at < end;) {
      // A whole piece is read even at a file's end, because lengths must be aligned as well.
      const ssize_t got = ::pread(open[file].get(), buffers[static_cast<size_t>(worker)].get(),
                                  static_cast<size_t>(kPiece), at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw SystemError(files[file].path.string(), got < 0 ? errno : EIO);
      at += got;
    }
  });
}

class MemoryMeasurement {
 public:
  MemoryMeasurement(const LanguageModel& model, const MemorySpeedOptions& options,
                    const WorkControl& control)
      : model_(model),
        compute_(model.compute()),
        options_(options),
        control_(control),
        kv_(KvTypeFor(model.model().facts(), options.kv, options.tokens)),
        folder_(Checked(options).folder) {}

  MemorySpeed Run() {
    MemorySpeed speed;
    speed.kv = kv_;
    const auto begin = Clock::now();
    const Memory memory = NewMemory(1);
    if (memory.has_recurrent() || !memory.has_kv()) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: memories of attention layers alone are measured; this model "
                              "has recurrent layers",
                              model_.name()));
    }
    owner_ = {.root = model_.MemoryRoot(memory), .model = model_.name(), .title = "bench"};
    speed.hash_seconds = SecondsSince(begin);
    if (options_.read > 0) speed.keeping = MeasureKeeping();
    MeasureKept(speed);
    return speed;
  }

 private:
  static const MemorySpeedOptions& Checked(const MemorySpeedOptions& options) {
    if (options.tokens < 1 || options.rounds < 1 || options.read < 0 ||
        options.read % kSnapshotTokens != 0) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("a measurement needs at least 1 token to keep, 1 round, and whole "
                              "snapshots of {} tokens to read",
                              kSnapshotTokens));
    }
    return options;
  }

  Memory NewMemory(int64_t tokens) const {
    return model_.model().NewMemory({.kv = kv_, .max_tokens = tokens});
  }

  std::vector<TokenId> NextTokens(int64_t count) {
    return RandomTokens(random_, count, model_.model().facts().vocabulary);
  }

  // Counts the rounds of all measurements. A reading counts as two.
  void Report(int64_t work) {
    done_ += work;
    control_.Report("measuring", static_cast<uint64_t>(done_),
                    static_cast<uint64_t>(options_.rounds) * 6 + 2);
  }

  double SecondsToRead(SnapshotStore* store) {
    const std::vector<TokenId> tokens = NextTokens(options_.read);
    Session session(model_.model(), model_.tokenizer(), compute_, NewMemory(options_.read));
    if (store != nullptr) session.UseStore(*store, owner_);
    const auto begin = Clock::now();
    session.Prefill(tokens, {.stop = control_.stop, .progress = {}});
    return SecondsSince(begin);
  }

  static void CheckKept(const SnapshotStore& store, int64_t tokens) {
    const SnapshotReport& report = store.report();
    if (!report.failure.text.empty()) {
      throw Error(Code::kIo, report.failure.text, report.failure.advice);
    }
    if (report.kept_tokens != tokens) {
      throw Error(Code::kUnsupported, "what this model remembers is not kept on disk");
    }
  }

  KeepingSpeed MeasureKeeping() {
    const fs::path folder = folder_.path() / "read";
    std::vector<double> without;
    std::vector<double> with;
    std::vector<double> ratios;
    SecondsToRead(nullptr);  // brings the weights into memory
    Report(2);
    for (int round = 0; round < options_.rounds; ++round) {
      const auto read_and_keep = [&] {
        SnapshotStore store(folder, std::numeric_limits<int64_t>::max());
        with.push_back(SecondsToRead(&store));
        CheckKept(store, options_.read);
        fs::remove_all(folder);
        Report(2);
      };
      // Both go first equally often, because the speed of the machine drifts.
      if (round % 2 == 0) read_and_keep();
      without.push_back(SecondsToRead(nullptr));
      Report(2);
      if (round % 2 != 0) read_and_keep();
      ratios.push_back(with.back() / without.back());
    }
    return {.tokens = options_.read,
            .seconds = MedianOf(without),
            .keeping_seconds = MedianOf(with),
            .share = MedianOf(ratios) - 1};
  }

  // Returns the logits of one token after the memory.
  Tensor Step(Memory& memory) const {
    const TokenId token = 0;
    const BatchItem item{.memory = &memory, .tokens = {&token, 1}};
    return model_.model().Forward({&item, 1}, compute_);
  }

  Memory Restore(SnapshotStore& store, std::span<const TokenId> tokens) const {
    Memory memory = NewMemory(options_.tokens + 1);
    if (store.Restore(owner_, tokens, memory, compute_.threads) != options_.tokens) {
      throw Error(Code::kCorrupt, fmt::format("{}: what was kept there has not come back",
                                              store.folder().string()));
    }
    return memory;
  }

  void MeasureKept(MemorySpeed& speed) {
    const fs::path folder = folder_.path() / "kept";
    constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
    const std::vector<TokenId> tokens = NextTokens(options_.tokens);
    Memory memory = NewMemory(options_.tokens + 1);
    FillWithSyntheticTokens(memory, options_.tokens);
    {
      SnapshotStore store(folder, kNoLimit);
      const auto begin = Clock::now();
      store.Keep(owner_, tokens, memory, SnapshotStore::Tail::kKept);
      speed.reopening.keep_seconds = SecondsSince(begin);
      CheckKept(store, options_.tokens);
      speed.reopening.bytes = store.report().kept_bytes;
    }
    const std::vector<Stored> files = FilesOf(folder);

    std::vector<double> steps;
    std::vector<double> reopenings;
    std::vector<double> restores;
    std::vector<double> ratios;
    for (int round = -1; round < options_.rounds; ++round) {  // round -1 warms up
      control_.CheckStop();
      memory.Checkpoint();
      auto begin = Clock::now();
      const Tensor expected = Step(memory);
      const double step = SecondsSince(begin);
      TOME_CHECK(memory.Truncate(options_.tokens) == options_.tokens);

      begin = Clock::now();
      SnapshotStore store(folder, kNoLimit);
      Memory restored = Restore(store, tokens);
      const double restore = SecondsSince(begin);
      const Tensor logits = Step(restored);
      const double reopening = SecondsSince(begin);
      if (!std::ranges::equal(logits.floats(), expected.floats())) {
        throw Error(Code::kCorrupt,
                    fmt::format("{}: what came back is not what was kept", folder.string()));
      }
      if (round < 0) continue;
      steps.push_back(step);
      restores.push_back(restore);
      reopenings.push_back(reopening);
      ratios.push_back(reopening / step);
      Report(1);
    }
    speed.reopening.step_seconds = MedianOf(steps);
    speed.reopening.restore_seconds = MedianOf(restores);
    speed.reopening.reopen_seconds = MedianOf(reopenings);
    speed.reopening.ratio = MedianOf(ratios);

    std::vector<double> disk;
    std::vector<double> restored;
    ratios.clear();
    for (int round = 0; round < options_.rounds; ++round) {
      control_.CheckStop();
      if (!DropFromCache(files)) return;
      auto begin = Clock::now();
      ReadPlainly(files, compute_.threads);
      disk.push_back(SecondsSince(begin));
      if (!DropFromCache(files)) return;
      begin = Clock::now();
      SnapshotStore store(folder, kNoLimit);
      const Memory again = Restore(store, tokens);
      restored.push_back(SecondsSince(begin));
      ratios.push_back(disk.back() / restored.back());
      Report(1);
    }
    const auto bytes = static_cast<double>(speed.reopening.bytes);
    speed.cold = {.disk_bytes_per_second = bytes / MedianOf(disk),
                  .restore_bytes_per_second = bytes / MedianOf(restored),
                  .ratio = MedianOf(ratios)};
  }

  const LanguageModel& model_;
  const Compute compute_;
  const MemorySpeedOptions& options_;
  const WorkControl& control_;
  const KvType kv_;
  const WorkFolder folder_;
  SnapshotOwner owner_;
  std::mt19937 random_{1};
  int64_t done_ = 0;
};

}  // namespace

MemorySpeed MeasureMemorySpeed(const LanguageModel& model, const MemorySpeedOptions& options,
                               const WorkControl& control) {
  return MemoryMeasurement(model, options, control).Run();
}

}  // namespace tome
