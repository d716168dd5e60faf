#include "tile_permission.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace diffuse::cpu {

bool may_use_tiles() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool may = [] {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned kAmxBf16 = 1U << 22;
    constexpr unsigned kAmxTile = 1U << 24;
    constexpr unsigned kFeatures = 7;
    if (__get_cpuid_count(kFeatures, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
    if ((edx & kAmxBf16) == 0 || (edx & kAmxTile) == 0) return false;
    if (!__builtin_cpu_supports("avx512bf16")) return false;  // which makes the cells
    constexpr long kRequestPermission = 0x1023;               // ARCH_REQ_XCOMP_PERM of asm/prctl.h
    constexpr long kTileData = 18;
    return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return may;
#else
  return false;
#endif
}

}  // namespace diffuse::cpu
