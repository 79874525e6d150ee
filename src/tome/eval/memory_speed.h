// What it costs to keep what a model has read, and to have it back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tome/base/progress.h"
#include "tome/generate/language_model.h"

namespace tome {

struct MemorySpeedOptions {
  int64_t tokens = 16384;         // of the memory that is kept and comes back
  int64_t read = 4096;            // read each time, to see what keeping costs; 0: none
  std::optional<KvType> kv = {};  // none: as for a text of `tokens` tokens
  int rounds = 5;                 // figures are medians of so many, what is compared in turn
  // A folder on the disk that is measured, made if need be: the files lie in one of their own
  // there, which goes in the end.
  std::filesystem::path folder = {};
};

// Reading fresh random tokens into an empty memory, with and without a store. What is written is
// the same at any depth, while reading takes longer: here the share is the largest.
struct KeepingSpeed {
  int64_t tokens = 0;
  double seconds = 0;          // without
  double keeping_seconds = 0;  // with
  double share = 0;            // median of with / without, less 1
};

// A process that comes back: a new store on the folder, an empty memory, its tokens from the store,
// and one token read behind them; beside that token behind the memory that was kept. The page cache
// is warm.
struct ReopeningSpeed {
  int64_t bytes = 0;           // of the files
  double keep_seconds = 0;     // writing them all
  double step_seconds = 0;     // the token alone
  double reopen_seconds = 0;   // everything
  double restore_seconds = 0;  // of that: until the memory holds its tokens
  double ratio = 0;            // median of reopen / step
};

// The tokens from the store when no file is in the page cache, beside reading the files plainly: in
// large pieces, past the page cache where that can be, on all threads.
struct ColdSpeed {
  double disk_bytes_per_second = 0;
  double restore_bytes_per_second = 0;
  double ratio = 0;  // median of restore / disk
};

struct MemorySpeed {
  KvType kv = KvType::kF16;
  double hash_seconds = 0;  // reading the model's files, once a process, by which its memories are
                            // found
  std::optional<KeepingSpeed> keeping;  // none: nothing was read
  ReopeningSpeed reopening;
  std::optional<ColdSpeed> cold;  // none: the system does not let go of what it has read
};

// The memory that comes back is made up (FillWithSyntheticTokens). Errors: kInvalidArgument for
// numbers without meaning, kUnsupported for a model with recurrent layers, kIo with the path where
// the disk is full or fails, Model::Forward's, kCancelled.
MemorySpeed MeasureMemorySpeed(const LanguageModel& model, const MemorySpeedOptions& options,
                               const WorkControl& control);

}  // namespace tome
