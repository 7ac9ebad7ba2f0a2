import CKernels
import COpenBLAS

/// The calls into C and BLAS: tensors in, tensors out, no pointer leaves.
enum Kernels {
    /// c = alpha * op(a) * op(b) + beta * c, row-major; `beta` is 0 or 1.
    ///
    /// - Parameters:
    ///   - a: `m x k`, or `k x m` when `transposeA`, read from `aOffset`, rows `aStride` apart.
    ///   - b: `k x n`, or `n x k` when `transposeB`.
    ///   - c: `m x n`, written from `cOffset`, rows `cStride` apart.
    static func multiply(
        _ a: Tensor, _ b: Tensor, into c: Tensor, m: Int, n: Int, k: Int, transposeA: Bool = false,
        transposeB: Bool = false, alpha: Float = 1, beta: Float = 0, aOffset: Int = 0,
        bOffset: Int = 0, cOffset: Int = 0, aStride: Int? = nil, bStride: Int? = nil,
        cStride: Int? = nil
    ) {
        guard m > 0, n > 0, k > 0 else { return }
        precondition(beta == 0 || beta == 1, "a result is overwritten or added to, not \(beta)")
        fathom_product(
            fathom_matrix(
                numbers: a.pointer + aOffset, stride: aStride ?? (transposeA ? m : k),
                transposed: transposeA ? 1 : 0),
            fathom_matrix(
                numbers: b.pointer + bOffset, stride: bStride ?? (transposeB ? k : n),
                transposed: transposeB ? 1 : 0),
            m, n, k, alpha, beta == 1 ? 1 : 0, c.pointer + cOffset, cStride ?? n)
    }

    static func clear(_ tensor: Tensor) {
        tensor.pointer.update(repeating: 0, count: tensor.count)
    }

    /// y = a + b.
    static func add(_ a: Tensor, _ b: Tensor, into y: Tensor) {
        fathom_add(a.pointer, b.pointer, y.count, y.pointer)
    }

    /// y += x.
    static func accumulate(_ x: Tensor, onto y: Tensor) {
        fathom_accumulate(x.pointer, y.count, y.pointer)
    }

    /// y += factor * x.
    static func accumulate(_ factor: Float, _ x: Tensor, onto y: Tensor) {
        fathom_axpy(factor, x.pointer, y.count, y.pointer)
    }

    static func scale(_ tensor: Tensor, by factor: Float) {
        fathom_scale(factor, tensor.count, tensor.pointer)
    }

    /// y = a * b, element by element.
    static func multiplyElements(_ a: Tensor, _ b: Tensor, into y: Tensor) {
        fathom_multiply(a.pointer, b.pointer, y.count, y.pointer)
    }

    static func sumOfSquares(_ tensor: Tensor) -> Double {
        fathom_sum_of_squares(tensor.pointer, tensor.count)
    }

    static func squaredDistance(_ a: Tensor, _ b: Tensor) -> Double {
        fathom_squared_distance(a.pointer, b.pointer, a.count)
    }

    static func allFinite(_ tensor: Tensor) -> Bool {
        fathom_all_finite(tensor.pointer, tensor.count) != 0
    }

    /// The library, its kernel and its threads: part of the numeric class.
    static var blasDescription: String {
        let config = openblas_get_config().map { String(cString: $0) } ?? "unknown"
        let core = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
        let version = config.split(separator: " ").prefix(2).joined(separator: " ")
        return "\(version) \(core)"
    }

    /// BLAS computes on the calling thread only, from now on.
    static func useOneThread() {
        openblas_set_num_threads(1)
    }
}

/// What equal bits depend on besides settings and seeds.
public enum NumericClass {
    /// Such as `OpenBLAS 0.3.21 Zen, clones avx2`. Equal on two machines: equal bits.
    public static var description: String {
        "\(Kernels.blasDescription), clones \(String(cString: fathom_instruction_path())), "
            + mathLibrary
    }

    /// Makes the calling process compute as a slot does: BLAS on one thread.
    public static func enterSlot() {
        Kernels.useOneThread()
    }

    private static var mathLibrary: String {
        var text = [CChar](repeating: 0, count: 64)
        let length = fathom_math_library(&text, text.count)
        guard length > 1, length <= text.count else { return "libm of the system" }
        return String(decoding: text[..<(length - 1)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
