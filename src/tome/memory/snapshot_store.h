// SnapshotStore keeps memories on disk and finds them by content, so that a text that was read once
// is not read again, even after a restart.
//
// A store is a folder of snapshots (snapshot.h), PARENT-KEY.safetensors, and of states,
// KEY.state.safetensors. It finds the longest stored prefix of a text by following keys from the
// root. The last step may take a part of a snapshot, so that a changed ending or another question
// costs only what differs. A memory of recurrent layers is restored to the last state on that way
// (state_positions.h). Restored bits are those that reading again would give. The root names the
// model, the arithmetic and the settings; the tokens are compared; and Model::Forward promises that
// bits do not depend on how a text is cut into passes.
//
// Files appear whole or not at all, and are checked against their checksum before use; a damaged or
// foreign file is removed and its tokens are read anew. Several processes may share a folder. A
// write that fails, as on a full disk, loses nothing but the snapshot: the store keeps no more and
// says why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tome/base/advice.h"
#include "tome/base/progress.h"
#include "tome/base/thread_pool.h"
#include "tome/memory/memory.h"
#include "tome/memory/snapshot.h"

namespace tome {

// A report to the user of what a store did.
struct SnapshotReport {
  int64_t kept_tokens = 0;
  // Bytes written, less those of the states that Keep removed. Files that were removed to make room
  // are not subtracted.
  int64_t kept_bytes = 0;
  int64_t damaged = 0;  // damaged or foreign files found
  Note failure;         // why the store keeps no more; no text: nothing failed
};

// Says whose memory is kept. `root` is a hash of all that its bits depend on besides tokens
// (LanguageModel::MemoryRoot).
struct SnapshotOwner {
  SnapshotKey root;
  std::string model;
  std::string title;                        // of the text
  std::vector<std::string> documents = {};  // hashes of the documents in the text, where known
};

// One thread at a time.
class SnapshotStore {
 public:
  // Makes the folder if need be and lists it. Throws Error(kIo) with the path. Where a later write
  // would bring the files above `max_bytes`, it first removes files that this object has not used:
  // the least recently used first, and of a text the end before the beginning. Where that is not
  // enough, nothing is written (SnapshotReport::failure).
  SnapshotStore(std::filesystem::path folder, int64_t max_bytes);

  // From now on damaged or foreign files are not used, but left where they are.
  void LeaveDamaged() { leaves_damaged_ = true; }

  // Gives an empty memory the longest stored prefix of `tokens`. Returns its length in tokens.
  int64_t Restore(const SnapshotOwner& owner, std::span<const TokenId> tokens, Memory& memory,
                  ThreadPool& threads);

  // The tail of a memory is the tokens after its last whole snapshot, and the states of recurrent
  // layers.
  enum class Tail { kKept, kLeftOut };
  // Keeps a memory, which holds exactly `tokens`, as far as it is not stored yet: whole snapshots
  // and, with Tail::kKept, the tail. To keep the tail, a memory that has segments must be at the
  // end of one. States of the text that KeepsState does not want any more are removed. A memory
  // that is full (PagedKv::IsFull) frees its pages of whole snapshots, and reads them from the
  // snapshots' files from then on.
  void Keep(const SnapshotOwner& owner, std::span<const TokenId> tokens, Memory& memory, Tail tail);

  // Returns how many of `tokens` Restore would give an empty memory with layers like those of
  // `memory`, if nothing is damaged. It finds whole snapshots and states by their names, and opens
  // files only for the last step, which may take a part of a snapshot.
  int64_t CountStored(const SnapshotKey& root, std::span<const TokenId> tokens,
                      const Memory& memory);

  const SnapshotReport& report() const { return report_; }

  template <typename Header>
  struct Entry {
    Header header;
    int64_t tokens = 0;  // of a snapshot; 0 for a state
    int64_t bytes = 0;   // of the file
    std::filesystem::file_time_type used;
    std::filesystem::path path;
  };
  // Return all snapshots, or states, that can be parsed, by root, then position.
  std::vector<Entry<SnapshotHeader>> List() const;
  std::vector<Entry<StateHeader>> ListStates() const;
  // Reads all files. Returns those that are not what was written; they are not removed.
  std::vector<std::filesystem::path> FindDamaged(const WorkControl& control) const;
  // Removes every snapshot and state of these roots. Returns how many bytes that frees.
  int64_t Remove(const std::set<SnapshotKey>& roots);
  // Removes the snapshots and states with these keys. Also removes each file, whatever its key,
  // that is named as a snapshot or a state but cannot be parsed. Returns how many bytes that frees.
  int64_t RemoveKeys(const std::set<SnapshotKey>& keys);

  const std::filesystem::path& folder() const { return folder_; }
  int64_t bytes() const { return bytes_; }
  int64_t max_bytes() const { return max_bytes_; }

 private:
  struct File {
    SnapshotKey key;
    int64_t bytes = 0;
  };
  // The file of a snapshot or, without a parent, of a state.
  struct Old {
    std::filesystem::file_time_type used;
    std::filesystem::path path;
    std::optional<SnapshotKey> parent;
    SnapshotKey key;
  };
  // An opened snapshot, mapped.
  struct Found;
  struct FoundState;
  struct Chain;

  std::filesystem::path PathOf(const SnapshotKey& parent, const SnapshotKey& key) const;
  bool Has(const SnapshotKey& parent, const SnapshotKey& key) const;
  std::optional<Found> Open(const SnapshotKey& parent, const SnapshotKey& key);
  std::optional<Found> OpenLongest(const SnapshotKey& parent, std::span<const TokenId> tokens);
  std::optional<Found> OpenTailWithState(const SnapshotKey& parent,
                                         std::span<const TokenId> tokens);
  std::optional<FoundState> OpenState(const SnapshotOwner& owner, const SnapshotKey& key,
                                      int64_t position, const RecurrentShape& shape);
  Chain Follow(const SnapshotOwner& owner, std::span<const TokenId> tokens, const Memory& memory);
  void Forget(const SnapshotKey& parent, const SnapshotKey& key);
  void RemoveDamaged(const SnapshotKey& parent, const SnapshotKey& key);
  void CheckLinks(Chain& chain, ThreadPool& threads);
  std::filesystem::path StatePathOf(const SnapshotKey& key) const;
  void ForgetState(const SnapshotKey& key);
  void RemoveDamagedState(const SnapshotKey& key);
  void RemoveState(const SnapshotKey& key);
  void RemoveStates(const SnapshotKey& parent, int64_t first, std::span<const TokenId> tokens,
                    int64_t length, int64_t step);
  std::vector<Old> OldestFirst() const;
  bool MakeRoom(int64_t bytes);
  std::optional<int64_t> WriteFile(const std::filesystem::path& path, int64_t bytes,
                                   const std::function<void()>& write);
  void KeepOne(const SnapshotOwner& owner, const SnapshotKey& parent, const SnapshotKey& key,
               int64_t first, std::span<const TokenId> tokens, const PagedKv* kv);
  void KeepState(const SnapshotOwner& owner, const SnapshotKey& key, const Recurrent& states);

  std::filesystem::path folder_;
  int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::multimap<SnapshotKey, File> children_;  // by parent
  std::map<SnapshotKey, int64_t> states_;      // bytes, by key
  std::set<SnapshotKey> used_;                 // keys that this store used
  bool leaves_damaged_ = false;
  SnapshotReport report_;
};

}  // namespace tome
