#define REELYARD_VECTOR_BYTES 64
#define REELYARD_TILE_COLUMNS 14
#define REELYARD_KERNELS frame_kernels_avx512
#include "kernels/frames/generic.hpp"
