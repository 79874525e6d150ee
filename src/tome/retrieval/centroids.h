// Centroids that divide vectors into lists of neighbours (an inverted file: Sivic and Zisserman,
// 2003; Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011), and
// their training by spherical k-means (Dhillon and Modha, 2001): a vector belongs to the centroid
// with which it has the largest product, and a centroid is the mean of its vectors at length 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/base/progress.h"
#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Finds the nearest centroid of many vectors at a time, by products of matrices. It refers to
// `centroids` [lists, width].
class NearestCentroids {
 public:
  NearestCentroids(std::span<const float> centroids, int64_t width, const Compute& compute);

  // Writes the number of the nearest centroid of each of the vectors [rows, width]; of equally near
  // ones it is the first.
  void Find(std::span<const float> vectors, std::span<int32_t> nearest);

 private:
  int64_t width_;
  int64_t lists_;
  const Compute& compute_;
  PackedMatrix matrix_;
  Tensor packed_;
  Tensor scores_;
  Tensor scratch_;
};

// Returns `lists` centroids of a sample of vectors [rows, width], which has at least as many rows.
// The result depends on the arguments alone. The time is that of `rounds` products of the sample
// with the centroids. Reports the stage "clustering".
std::vector<float> TrainCentroids(std::span<const float> sample, int64_t width, int64_t lists,
                                  int rounds, const Compute& compute, const WorkControl& control);

}  // namespace tome
