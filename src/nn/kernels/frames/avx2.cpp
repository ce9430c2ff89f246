#define REELYARD_VECTOR_BYTES 32
#define REELYARD_TILE_COLUMNS 6
#define REELYARD_KERNELS frame_kernels_avx2
#include "kernels/frames/generic.hpp"
