// Weights binds an architecture's weights by their GGUF name, whichever container holds them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/models/architecture.h"
#include "tome/models/layers/layer_norm.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/model.h"

namespace tome {

struct ExpertIndex {
  int64_t expert = 0;
  int64_t experts = 0;
  int64_t used = 0;  // experts that a token takes; linear() counts used / experts of each
};

// A Weights refers to its arguments, which must outlive it; the checkpoint must also outlive
// whatever was bound. Throws Error(kNotFound) for a missing tensor, Error(kCorrupt) for another
// shape and Error(kUnsupported) for a type that holds no weights, with the tensor's name in the
// container.
class Weights {
 public:
  // With `encoded`, linear matrices of plain numbers are rounded to this block-quantized type at
  // load, where their rows are whole blocks of it.
  Weights(const Checkpoint& checkpoint, const Architecture& architecture, const Compute& compute,
          std::optional<DType> encoded = std::nullopt)
      : checkpoint_(checkpoint),
        architecture_(architecture),
        compute_(compute),
        encoded_(encoded) {}

  // `name` is a GGUF pattern of the architecture's table; `layer` replaces "{}". For a name that
  // the table lacks, Has returns false; in the other functions it is a programming error.
  bool Has(std::string_view name, int64_t layer = 0) const;
  // Returns a decodable matrix [rows, columns], not copied.
  TensorView Matrix(std::string_view name, int64_t layer, int64_t rows, int64_t columns) const;
  // Returns a vector as floats, with the transform that makes both containers mean the same.
  std::vector<float> Vector(std::string_view name, int64_t layer, int64_t size) const;
  // Does the same for a tensor of any rank, row-major, which must have one of these shapes.
  std::vector<float> Values(std::string_view name, int64_t layer,
                            std::initializer_list<Shape> shapes) const;
  // Returns x · Wᵀ + b, packed for the kernel set: the matrix `stem`.weight and, where there is
  // one, the bias `stem`.bias.
  Linear BindLinear(std::string_view stem, int64_t layer, int64_t out, int64_t in);
  // Returns rows [first, first + out) of a matrix [rows, in] without bias: one of several matrices
  // that the checkpoint keeps as one.
  Linear BindRows(std::string_view stem, int64_t layer, int64_t rows, int64_t in, int64_t first,
                  int64_t out);

  // Returns one expert's matrix [out, in]. GGUF has it in a mixture's tensor [experts, out, in], HF
  // as a tensor of its own.
  Linear BindExpert(std::string_view stem, int64_t layer, const ExpertIndex& index, int64_t out,
                    int64_t in);

  // Returns the LayerNorm of `stem`.weight and, where there is one, `stem`.bias.
  LayerNorm BindLayerNorm(std::string_view stem, int64_t layer, int64_t size, float eps) const;
  Norm BindNorm(std::string_view name, int64_t layer, int64_t size, float eps) const;
  // Returns output.weight [vocabulary, width], or the embedding where the two are tied and the
  // checkpoint has no output.weight.
  Linear BindHead(int64_t vocabulary, int64_t width);

  int64_t parameters() const;  // of all tensors of the checkpoint
  // Return the sums of the matrices bound so far: of the layers by type, and of the head.
  const std::vector<LinearWeights>& linear() const { return linear_; }
  const LinearWeights& head() const { return head_; }
  const Compute& compute() const { return compute_; }

 private:
  // Returns the row of a pattern: the one whose tensor the checkpoint holds, or the first one. A
  // pattern that the table lacks is a programming error.
  const TensorName& Row(std::string_view name, int64_t layer) const;
  // Returns the tensor's name in the container, with the architecture's prefix where the checkpoint
  // has it.
  std::string NameOf(const TensorName& row, int64_t layer) const;

  // Returns the matrix as the kernels read it. A packed matrix's part of the file is not kept in
  // memory.
  Linear Pack(const TensorView& matrix) const;
  Tensor Encode(const TensorView& matrix) const;
  // Packs a matrix of a layer, and counts used / parts of its size in linear().
  Linear PackOfLayer(const TensorView& stored, int64_t used = 1, int64_t parts = 1);

  const Checkpoint& checkpoint_;
  const Architecture& architecture_;
  const Compute& compute_;
  std::optional<DType> encoded_;
  std::vector<LinearWeights> linear_;
  LinearWeights head_;
};

}  // namespace tome
