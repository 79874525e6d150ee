// Measures the cost of keeping a model's memory on disk and of restoring it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tome/base/progress.h"
#include "tome/generate/language_model.h"

namespace tome {

struct MemorySpeedOptions {
  int64_t tokens = 16384;         // of the memory that is kept and restored
  int64_t read = 4096;            // read with and without keeping; 0: none
  std::optional<KvType> kv = {};  // empty: the type for a text of `tokens` tokens
  int rounds = 5;                 // figures are medians; compared runs alternate
  // A folder on the disk to measure, which is created where it is missing. The files lie in a
  // subfolder, which is removed at the end.
  std::filesystem::path folder = {};
};

// Reading fresh random tokens into an empty memory, with and without a store. Writing costs the
// same at any depth, while reading takes longer, so the share is the largest here.
struct KeepingSpeed {
  int64_t tokens = 0;
  double seconds = 0;          // without a store
  double keeping_seconds = 0;  // with a store
  double share = 0;            // median of keeping_seconds / seconds, less 1
};

// A process that comes back: a new store on the folder restores an empty memory, and one token is
// read after it. For comparison, that token is read after the memory that was kept. The page cache
// is warm.
struct ReopeningSpeed {
  int64_t bytes = 0;           // of the files
  double keep_seconds = 0;     // writing all files
  double step_seconds = 0;     // reading the token alone
  double reopen_seconds = 0;   // store, restoring and token together
  double restore_seconds = 0;  // of these, until the memory holds its tokens
  double ratio = 0;            // median of reopen / step
};

// Restoring when no file is in the page cache, compared with plain reading of the files: in large
// pieces, past the page cache where the file system allows it, on all threads.
struct ColdSpeed {
  double disk_bytes_per_second = 0;
  double restore_bytes_per_second = 0;
  double ratio = 0;  // median of restore / disk rate
};

struct MemorySpeed {
  KvType kv = KvType::kF16;
  // Reading the model's files, once a process, by which its memories are found.
  double hash_seconds = 0;
  std::optional<KeepingSpeed> keeping;  // empty: MemorySpeedOptions::read was 0
  ReopeningSpeed reopening;
  std::optional<ColdSpeed> cold;  // empty: the page cache could not be emptied
};

// Measures keeping and restoring a synthetic memory (FillWithSyntheticTokens). Throws
// Error(kInvalidArgument) for numbers without meaning, Error(kUnsupported) for a model with
// recurrent layers, Error(kIo) with the path where the disk is full or fails, the errors of
// Model::Forward, and Error(kCancelled).
MemorySpeed MeasureMemorySpeed(const LanguageModel& model, const MemorySpeedOptions& options,
                               const WorkControl& control);

}  // namespace tome
