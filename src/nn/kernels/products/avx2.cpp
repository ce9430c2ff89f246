#define REELYARD_VECTOR_BYTES 32
#include "kernels/products/generic.hpp"

namespace reelyard::nn::kernels {

const Products& products_avx2() {
    static constexpr Products products = products_named("avx2");
    return products;
}

}  // namespace reelyard::nn::kernels
