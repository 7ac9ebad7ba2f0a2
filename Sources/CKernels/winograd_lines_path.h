// The one-dimensional transforms of Winograd's F(4x4, 3x3), on one path; vectors_path.h comes first.
// Sums are written in the order in which they are rounded.

/// Six numbers of a patch: B' d.
PATH_INLINE void ON_PATH(patch_line)(const SIXTEEN *d, ptrdiff_t step, SIXTEEN *o,
                                     ptrdiff_t out) {
    const SIXTEEN d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
                  d5 = d[5 * step];
    const SIXTEEN far = MULTIPLY_ADD(SPLAT(-4), d2, d4), odd = MULTIPLY_ADD(SPLAT(-4), d1, d3);
    const SIXTEEN near = d4 - d2, twice = (d3 - d1) * 2;
    o[0] = MULTIPLY_ADD(SPLAT(4), d0, MULTIPLY_ADD(SPLAT(-5), d2, d4));
    o[out] = far + odd;
    o[2 * out] = far - odd;
    o[3 * out] = near + twice;
    o[4 * out] = near - twice;
    o[5 * out] = MULTIPLY_ADD(SPLAT(4), d1, MULTIPLY_ADD(SPLAT(-5), d3, d5));
}

/// Six products to four outputs: A' m.
PATH_INLINE void ON_PATH(output_line)(const SIXTEEN *m, ptrdiff_t step, SIXTEEN *o,
                                      ptrdiff_t out) {
    const SIXTEEN m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step];
    const SIXTEEN sum = m1 + m2, gap = m1 - m2, far_sum = m3 + m4, far_gap = m3 - m4;
    o[0] = m[0] + sum + far_sum;
    o[out] = MULTIPLY_ADD(SPLAT(2), far_gap, gap);
    o[2 * out] = MULTIPLY_ADD(SPLAT(4), far_sum, sum);
    o[3 * out] = MULTIPLY_ADD(SPLAT(8), far_gap, gap) + m[5 * step];
}

/// Four gradients of outputs to six: A g.
PATH_INLINE void ON_PATH(gradient_line)(const SIXTEEN *g, ptrdiff_t step, SIXTEEN *o,
                                        ptrdiff_t out) {
    const SIXTEEN g0 = g[0], g1 = g[step], g2 = g[2 * step], g3 = g[3 * step];
    const SIXTEEN even = g0 + g2, odd = g1 + g3;
    const SIXTEEN far_even = MULTIPLY_ADD(SPLAT(4), g2, g0);
    const SIXTEEN far_odd = MULTIPLY_ADD(SPLAT(4), g3, g1) * 2;
    o[0] = g0;
    o[out] = even + odd;
    o[2 * out] = even - odd;
    o[3 * out] = far_even + far_odd;
    o[4 * out] = far_even - far_odd;
    o[5 * out] = g3;
}

/// Three taps to six: G w.
PATH_INLINE void ON_PATH(weight_line)(const SIXTEEN *w, ptrdiff_t step, SIXTEEN *o,
                                      ptrdiff_t out) {
    const SIXTEEN w0 = w[0], w1 = w[step], w2 = w[2 * step];
    const SIXTEEN sum = w0 + w2, far = MULTIPLY_ADD(SPLAT(4), w2, w0);
    o[0] = w0 * (1.0f / 4);
    o[out] = (sum + w1) * (-1.0f / 6);
    o[2 * out] = (sum - w1) * (-1.0f / 6);
    o[3 * out] = MULTIPLY_ADD(SPLAT(2), w1, far) * (1.0f / 24);
    o[4 * out] = MULTIPLY_ADD(SPLAT(-2), w1, far) * (1.0f / 24);
    o[5 * out] = w2;
}

/// Six gradients to those of three taps: G' u.
PATH_INLINE void ON_PATH(tap_line)(const SIXTEEN *u, ptrdiff_t step, SIXTEEN *o, ptrdiff_t out) {
    const SIXTEEN u1 = u[step], u2 = u[2 * step], u3 = u[3 * step], u4 = u[4 * step];
    const SIXTEEN sum = (u1 + u2) * (1.0f / 6), far_sum = (u3 + u4) * (1.0f / 24);
    o[0] = MULTIPLY_ADD(SPLAT(0.25f), u[0], far_sum - sum);
    o[out] = MULTIPLY_ADD(SPLAT(1.0f / 12), u3 - u4, (u2 - u1) * (1.0f / 6));
    o[2 * out] = MULTIPLY_ADD(SPLAT(4), far_sum, u[5 * step] - sum);
}
