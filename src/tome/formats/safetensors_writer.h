// Writes a safetensors file: the header first, then tensor by tensor.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tome/base/new_file.h"
#include "tome/tensor/dtype.h"
#include "tome/tensor/shape.h"

namespace tome {

struct TensorPlan {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

// The file appears with Finish, whole. Error(kUnsupported) for a type the format lacks; errors of
// the system with the file's path.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorPlan>& tensors,
                    const std::map<std::string, std::string>& metadata);

  // The bytes of the planned tensors, in order; a tensor may come in pieces.
  void Write(std::span<const std::byte> bytes) { file_.Write(bytes); }
  // A programming error when fewer or more bytes were written than planned.
  void Finish();

 private:
  NewFile file_;
  uint64_t size_ = 0;  // of the finished file
};

}  // namespace tome
