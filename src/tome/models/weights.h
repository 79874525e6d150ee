// Binds an architecture's weights by their GGUF name, whichever container holds them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "tome/models/architecture.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/model.h"

namespace tome {

struct ExpertIndex {
  int64_t expert = 0;
  int64_t experts = 0;
  int64_t used = 0;  // by a token: linear() counts that share of each expert
};

// Refers to the checkpoint, which must outlive it and whatever it bound. Errors: kNotFound for a
// missing tensor and kCorrupt for another shape, with the tensor's name in the container.
class Weights {
 public:
  Weights(const Checkpoint& checkpoint, const Architecture& architecture, const Compute& compute)
      : checkpoint_(checkpoint), architecture_(architecture), compute_(compute) {}

  // `name` is a GGUF pattern of the architecture's table; `layer` replaces "{}".
  // Has: also where the table lacks the name; the other functions need it there.
  bool Has(std::string_view name, int64_t layer = 0) const;
  // A decodable matrix [rows, columns], not copied.
  TensorView Matrix(std::string_view name, int64_t layer, int64_t rows, int64_t columns) const;
  // A vector as floats, with the transform that makes both containers mean the same.
  std::vector<float> Vector(std::string_view name, int64_t layer, int64_t size) const;
  // The same of any tensor, row-major, which must have one of these shapes.
  std::vector<float> Values(std::string_view name, int64_t layer,
                            std::initializer_list<Shape> shapes) const;
  // x · Wᵀ + b, packed for the kernel set; the bias is `stem`.bias where there is one, the matrix
  // `stem`.weight.
  Linear BindLinear(std::string_view stem, int64_t layer, int64_t out, int64_t in);
  // Rows [first, first + out) of a matrix [rows, in] without bias: one of several matrices that the
  // checkpoint keeps as one.
  Linear BindRows(std::string_view stem, int64_t layer, int64_t rows, int64_t in, int64_t first,
                  int64_t out);

  // One expert's matrix [out, in] of a mixture's [experts, out, in], or, in HF, of its own.
  Linear BindExpert(std::string_view stem, int64_t layer, const ExpertIndex& index, int64_t out,
                    int64_t in);

  Norm BindNorm(std::string_view name, int64_t layer, int64_t size, float eps) const;
  // output.weight [vocabulary, width]; the embedding where the two are tied and it is not there.
  Linear BindHead(int64_t vocabulary, int64_t width);

  int64_t parameters() const;  // of all tensors of the checkpoint
  // The matrices bound so far, type by type: those of layers, and the head.
  const std::vector<LinearWeights>& linear() const { return linear_; }
  const LinearWeights& head() const { return head_; }
  const Compute& compute() const { return compute_; }

 private:
  // The table's row; a programming error when the pattern is not in it.
  const TensorName& Row(std::string_view name) const;
  std::string NameOf(const TensorName& row, int64_t layer) const;

  // What the kernels multiply with. A packed matrix's part of the file is not kept in memory.
  Linear Pack(const TensorView& matrix) const;
  // Counts `used` of `parts` equal matrices' share in linear().
  Linear PackOfLayer(const TensorView& matrix, int64_t used = 1, int64_t parts = 1);

  const Checkpoint& checkpoint_;
  const Architecture& architecture_;
  const Compute& compute_;
  std::vector<LinearWeights> linear_;
  LinearWeights head_;
};

}  // namespace tome
