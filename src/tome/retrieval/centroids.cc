#include "tome/retrieval/centroids.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "tome/base/error.h"

namespace tome {
namespace {

// Vectors that are multiplied at a time.
constexpr int64_t kBatch = 256;

void ScaleToLengthOne(std::span<float> x) {
  double squares = 0;
  for (const float value : x) squares += double{value} * double{value};
  if (squares == 0) return;
  const auto factor = static_cast<float>(1 / std::sqrt(squares));
  for (float& value : x) value *= factor;
}

// Replaces each centroid by the mean of its vectors. A centroid without vectors takes the place of
// a random vector of the sample, so that no list stays empty for want of a good beginning.
void MoveToMeans(std::span<const float> sample, std::span<const int32_t> nearest, size_t width,
                 std::mt19937_64& random, std::span<float> centroids) {
  std::fill(centroids.begin(), centroids.end(), 0.0F);
  std::vector<int64_t> counts(centroids.size() / width);
  for (size_t row = 0; row < nearest.size(); ++row) {
    const auto list = static_cast<size_t>(nearest[row]);
    float* const sum = centroids.data() + list * width;
    const float* const x = sample.data() + row * width;
    for (size_t i = 0; i < width; ++i) sum[i] += x[i];
    ++counts[list];
  }
  for (size_t list = 0; list < counts.size(); ++list) {
    const std::span<float> centroid = centroids.subspan(list * width, width);
    if (counts[list] == 0) {
      const size_t row = random() % nearest.size();
      std::copy_n(sample.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  centroid.begin());
    }
    ScaleToLengthOne(centroid);
  }
}

}  // namespace

NearestCentroids::NearestCentroids(std::span<const float> centroids, int64_t width,
                                   const Compute& compute)
    : width_(width),
      lists_(static_cast<int64_t>(centroids.size()) / width),
      compute_(compute),
      matrix_{.dtype = DType::kF32,
              .out = lists_,
              .in = width,
              .data = reinterpret_cast<const std::byte*>(centroids.data())},
      scores_(DType::kF32, {kBatch, lists_}, Fill::kNone) {
  const int64_t bytes = compute.kernels.packed_bytes(DType::kF32, lists_, width);
  if (bytes > 0) {
    packed_ = Tensor(DType::kU8, {bytes}, Fill::kNone);
    compute.kernels.pack({.dtype = DType::kF32, .shape = {lists_, width}, .data = matrix_.data},
                         packed_.data(), compute.threads);
    matrix_.data = packed_.data();
  }
  const MatmulOutput output{.weights = matrix_, .gate = {}, .y = scores_.floats().data()};
  const MatmulArgs args{.tokens = kBatch, .in = width, .outputs = {&output, 1}};
  scratch_ =
      Tensor(DType::kU8, {std::max<int64_t>(1, compute.kernels.matmul_scratch(args))}, Fill::kNone);
}

void NearestCentroids::Find(std::span<const float> vectors, std::span<int32_t> nearest) {
  const auto rows = static_cast<int64_t>(nearest.size());
  for (int64_t begin = 0; begin < rows; begin += kBatch) {
    const int64_t count = std::min(kBatch, rows - begin);
    const MatmulOutput output{.weights = matrix_, .gate = {}, .y = scores_.floats().data()};
    compute_.kernels.matmul({.x = vectors.data() + begin * width_,
                             .tokens = count,
                             .in = width_,
                             .outputs = {&output, 1},
                             .scratch = scratch_.data()},
                            compute_.threads);
    compute_.threads.ParallelFor(count, [&](int64_t row, int) {
      const float* const scores = scores_.floats().data() + row * lists_;
      nearest[static_cast<size_t>(begin + row)] =
          static_cast<int32_t>(std::max_element(scores, scores + lists_) - scores);
    });
  }
}

std::vector<float> TrainCentroids(std::span<const float> sample, int64_t width, int64_t lists,
                                  int rounds, const Compute& compute, const WorkControl& control) {
  const auto columns = static_cast<size_t>(width);
  const size_t rows = sample.size() / columns;
  TOME_CHECK(lists > 0 && static_cast<size_t>(lists) <= rows);
  std::mt19937_64 random(1);
  // Random distinct rows are the first centroids.
  std::vector<size_t> order(rows);
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<float> centroids;
  for (size_t list = 0; list < static_cast<size_t>(lists); ++list) {
    std::swap(order[list], order[list + random() % (rows - list)]);
    const auto row = sample.subspan(order[list] * columns, columns);
    centroids.insert(centroids.end(), row.begin(), row.end());
    ScaleToLengthOne(std::span(centroids).last(columns));
  }
  std::vector<int32_t> nearest(rows);
  for (int round = 0; round < rounds; ++round) {
    control.CheckStop();
    control.Report("clustering", static_cast<uint64_t>(round), static_cast<uint64_t>(rounds));
    NearestCentroids(centroids, width, compute).Find(sample, nearest);
    MoveToMeans(sample, nearest, columns, random, centroids);
  }
  return centroids;
}

}  // namespace tome
