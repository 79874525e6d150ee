// Writes a GGUF file, version 3; its layout stands in gguf.h. The header first, then tensor by
// tensor: no more than a piece of one tensor has to be in memory.
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

// The key-value pairs of a file to be written, in order and encoded. Setting a key again replaces
// its value in place. Readers insist on the width of a number: u32 for sizes and token ids, i32 in
// arrays of integers, f32 for fractions.
class GgufPairs {
 public:
  // A pair as another file has it.
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
  // All of them, as the file holds them.
  std::string Encoded() const;

 private:
  void Set(std::string_view key, std::string encoded);

  std::vector<std::pair<std::string, std::string>> pairs_;
};

// The file appears with Finish, whole. Error(kUnsupported) for a tensor type that GGUF lacks,
// Error(kInvalidArgument) for a name or shape that readers would refuse; errors of the system with
// the file's path.
class GgufWriter {
 public:
  GgufWriter(const std::filesystem::path& path, const GgufPairs& pairs,
             const std::vector<TensorPlan>& tensors);

  // The bytes of the planned tensors, in order; a tensor may come in pieces, a piece belongs to one
  // tensor. The padding between tensors is added here.
  void Write(std::span<const std::byte> bytes);
  // A programming error when fewer bytes were written than planned.
  void Finish();

 private:
  void Pad();

  NewFile file_;
  std::vector<uint64_t> sizes_;  // of the tensors
  size_t tensor_ = 0;            // the one being written
  uint64_t written_ = 0;         // of it
};

}  // namespace tome
