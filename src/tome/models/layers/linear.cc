#include "tome/models/layers/linear.h"

#include "tome/base/error.h"

namespace tome {

void Project(const Norm* norm, const Tensor& x, std::initializer_list<Projection> projections,
             Scratch& scratch, const Compute& compute) {
  const int64_t tokens = x.shape()[0];
  const int64_t in = x.shape()[1];
  std::vector<MatmulOutput> outputs;
  outputs.reserve(projections.size());
  for (const Projection& projection : projections) {
    const Linear& linear = projection.linear;
    TOME_CHECK(linear.kernels == &compute.kernels && linear.in() == in &&
               projection.y.shape() == (Shape{tokens, linear.out()}));
    outputs.push_back(
        {.weights = linear.weight,
         .bias = linear.bias.empty() ? nullptr : linear.bias.data(),
         .gate = projection.gate != nullptr ? projection.gate->weight : PackedMatrix{},
         .activation = projection.activation,
         .add = projection.add,
         .y = projection.y.floats().data()});
  }
  MatmulArgs args{.x = x.floats().data(),
                  .tokens = tokens,
                  .in = in,
                  .norm_weight = norm != nullptr ? norm->weight.data() : nullptr,
                  .norm_eps = norm != nullptr ? norm->eps : 0,
                  .outputs = outputs};
  args.scratch = scratch.Get(compute.kernels.matmul_scratch(args));
  compute.kernels.matmul(args, compute.threads);
}

}  // namespace tome
