#define REELYARD_VECTOR_BYTES 64
#include "kernels/products/generic.hpp"

namespace reelyard::nn::kernels {

const Products& products_avx512() {
    static constexpr Products products = products_named("avx512");
    return products;
}

}  // namespace reelyard::nn::kernels
