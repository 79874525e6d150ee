// GgufWriter writes a GGUF file, version 3 (layout: gguf.h): the header first, then tensor by
// tensor, so no more than a piece of one tensor has to be in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/base/new_file.h"
#include "tome/formats/gguf.h"
#include "tome/formats/gguf_reader.h"
#include "tome/formats/tensor_plan.h"

namespace tome {

// GgufPairs holds the key-value pairs of a file to be written, in order and encoded. Setting a key
// again replaces its value in place. Readers insist on the width of a number: u32 for sizes and
// token ids, i32 in arrays of integers, f32 for fractions.
class GgufPairs {
 public:
  // Sets a pair as another file has it. The alignment is left out, because a new file has its own.
  void Copy(const GgufPair& pair);
  void SetUint32(std::string_view key, uint32_t value);
  void SetFloat32(std::string_view key, float value);
  void SetBool(std::string_view key, bool value);
  void SetString(std::string_view key, std::string_view value);
  void SetStrings(std::string_view key, std::span<const std::string> values);
  void SetInt32s(std::string_view key, std::span<const int32_t> values);
  void SetFloat32s(std::string_view key, std::span<const float> values);

  bool Has(std::string_view key) const;
  size_t size() const { return pairs_.size(); }
  // Returns all pairs as the file holds them.
  std::string Encoded() const;

 private:
  void Set(std::string_view key, std::string encoded);

  std::vector<std::pair<std::string, std::string>> pairs_;
};

// The file of a GgufWriter appears with Finish, whole. The constructor throws Error(kUnsupported)
// for a tensor type that GGUF lacks and Error(kInvalidArgument) for a name or shape that readers
// would refuse. Errors of the system carry the file's path.
class GgufWriter {
 public:
  GgufWriter(const std::filesystem::path& path, const GgufPairs& pairs,
             const std::vector<TensorPlan>& tensors);

  // Writes bytes of the planned tensors, in order. A tensor may come in pieces, and a piece belongs
  // to one tensor. The padding between tensors is added here.
  void Write(std::span<const std::byte> bytes);
  // Makes the file appear. It is a programming error when fewer bytes were written than planned.
  void Finish();

 private:
  void Pad();

  NewFile file_;
  std::vector<uint64_t> sizes_;  // bytes of each tensor
  size_t tensor_ = 0;            // number of the tensor being written
  uint64_t written_ = 0;         // bytes of that tensor
};

}  // namespace tome
