#define REELYARD_VECTOR_BYTES 16
#include "kernels/products/generic.hpp"

namespace reelyard::nn::kernels {

const Products& products_baseline() {
    static constexpr Products products = products_named("baseline");
    return products;
}

}  // namespace reelyard::nn::kernels
