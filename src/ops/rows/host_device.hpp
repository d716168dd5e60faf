#pragma once

/// Before a function that the CPU's and a device's kernels share: what it computes is then tested
/// where no device is.
#ifdef __CUDACC__
#define DIFFUSE_HOST_DEVICE __host__ __device__
#else
#define DIFFUSE_HOST_DEVICE
#endif
