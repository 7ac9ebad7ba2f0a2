// Each loop is compiled for several instruction sets and chosen at load time. Contraction is off
// and sums have a fixed number of lanes, so that all clones give the same bits.
#ifndef FATHOM_CLONES_H
#define FATHOM_CLONES_H
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

#define LANES 8

/// Eight double sums side by side, added up in a fixed order at the end.
INLINE double lanes_total(const double *lanes) {
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}
#endif
