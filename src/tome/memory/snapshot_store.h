// Kept memories, found again by content: what was read once is not read again, across restarts.
//
// A folder of snapshots (snapshot.h), each PARENT-KEY.safetensors, and of states, each
// KEY.state.safetensors. The longest stored prefix of a text is found by following keys from the
// root; the last step may take a part of a snapshot, so that a changed ending or another question
// costs only what differs. A memory of recurrent layers is restored to the last state on that way
// (state_positions.h). What is restored was computed
// by the same model, arithmetic and settings from the same tokens, which are compared, and has the
// bits that reading it again would give (Model::Forward promises that they do not depend on how a
// text is cut).
//
// Files appear whole or not at all, and are checked against their checksum before use: a damaged or
// foreign one is removed and read anew. Several processes may share a folder. A write that fails,
// as on a full disk, loses nothing but the snapshot: the store keeps no more and says why.
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

// What a store did, for the user.
struct SnapshotReport {
  int64_t kept_tokens = 0;
  int64_t kept_bytes = 0;  // more than before, on disk
  int64_t damaged = 0;     // files that were removed
  Note failure;            // why nothing more is kept; without words: nothing failed
};

// Whose memory it is. `root`: what its bits depend on besides tokens (see MemoryRoot).
struct SnapshotOwner {
  SnapshotKey root;
  std::string model;
  std::string title;                        // of what is read
  std::vector<std::string> documents = {};  // hashes of its contents, where they are known
};

// One thread.
class SnapshotStore {
 public:
  // Makes the folder if need be and lists it. At most `max_bytes` are kept: what was not used for
  // the longest time goes first, the end of a text before its beginning, but nothing that this
  // store used. Error(kIo) with the path.
  SnapshotStore(std::filesystem::path folder, int64_t max_bytes);

  // From now on what is damaged or foreign is not used, but left where it is.
  void LeaveDamaged() { leaves_damaged_ = true; }

  // Gives an empty memory the longest stored prefix of `tokens`; how many tokens that is.
  int64_t Restore(const SnapshotOwner& owner, std::span<const TokenId> tokens, Memory& memory,
                  ThreadPool& threads);

  // Keeps a memory of `tokens` (all that it holds), whatever of it is not there yet: whole
  // snapshots and, with `tail`, the rest behind them and the state of recurrent layers, whose
  // memory must be at the end of a segment where there are segments. Of a text's states those that
  // KeepsState does not want are removed. A memory that is full (PagedKv::IsFull) reads its pages
  // of whole snapshots in their files from then on.
  void Keep(const SnapshotOwner& owner, std::span<const TokenId> tokens, Memory& memory, bool tail);

  // How many of `tokens` Restore would give a memory like this one, where nothing is damaged: whole
  // snapshots and states count by their names, and only the last step, which may take a part of a
  // snapshot, is looked into.
  int64_t CountStored(const SnapshotKey& root, std::span<const TokenId> tokens,
                      const Memory& memory);

  const SnapshotReport& report() const { return report_; }

  template <typename Header>
  struct Entry {
    Header header;
    int64_t tokens = 0;  // of a snapshot; of a state none
    int64_t bytes = 0;   // of the file
    std::filesystem::file_time_type used;
    std::filesystem::path path;
  };
  // All that can be read, by root, then position; files that are none are left out.
  std::vector<Entry<SnapshotHeader>> List() const;
  std::vector<Entry<StateHeader>> ListStates() const;
  // Reads everything: the files that are not what was written. They are not removed.
  std::vector<std::filesystem::path> FindDamaged(const WorkControl& control) const;
  // Removes every snapshot and state of these roots; how many bytes that frees.
  int64_t Remove(const std::set<SnapshotKey>& roots);
  // Removes the snapshots and states with these keys, and files that have such a name and are none;
  // how many bytes that frees.
  int64_t RemoveKeys(const std::set<SnapshotKey>& keys);

  const std::filesystem::path& folder() const { return folder_; }
  int64_t bytes() const { return bytes_; }
  int64_t max_bytes() const { return max_bytes_; }

 private:
  struct File {
    SnapshotKey key;
    int64_t bytes = 0;
  };
  // A snapshot or, without a parent, a state.
  struct Old {
    std::filesystem::file_time_type used;
    std::filesystem::path path;
    std::optional<SnapshotKey> parent;
    SnapshotKey key;
  };
  // A restored snapshot, mapped.
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
  std::set<SnapshotKey> used_;                 // by this store
  bool leaves_damaged_ = false;
  SnapshotReport report_;
};

}  // namespace tome
