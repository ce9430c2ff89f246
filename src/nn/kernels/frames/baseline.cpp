#define REELYARD_VECTOR_BYTES 16
#define REELYARD_TILE_COLUMNS 6
#define REELYARD_KERNELS frame_kernels_baseline
#include "kernels/frames/generic.hpp"
