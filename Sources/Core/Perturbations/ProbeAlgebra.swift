import COpenBLAS
import Foundation

/// The few matrix operations that a probe needs, row-major.
enum ProbeAlgebra {
    /// Inner products of all rows of `left` with all of `right`, plus 1 for the bias.
    static func innerProducts(_ left: [Float], _ right: [Float], size: Int) -> [Float] {
        let rows = left.count / size
        let columns = right.count / size
        var products = [Float](repeating: 1, count: rows * columns)
        guard rows > 0 else { return products }
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(columns),
            blasint(size), 1, left, blasint(size), right, blasint(size), 1, &products,
            blasint(columns))
        return products
    }

    /// `left · right`, `[rows, inner]` by `[inner, columns]`.
    static func product(
        _ left: [Float], _ right: [Float], rows: Int, inner: Int, columns: Int
    ) -> [Float] {
        var product = [Float](repeating: 0, count: rows * columns)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(columns),
            blasint(inner), 1, left, blasint(inner), right, blasint(columns), 0, &product,
            blasint(columns))
        return product
    }

    /// `left · rightᵀ`, `[rows, inner]` by `[columns, inner]`.
    static func productTransposed(
        _ left: [Float], _ right: [Float], rows: Int, inner: Int, columns: Int
    ) -> [Float] {
        var product = [Float](repeating: 0, count: rows * columns)
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(columns),
            blasint(inner), 1, left, blasint(inner), right, blasint(inner), 0, &product,
            blasint(columns))
        return product
    }

    /// `leftᵀ · right`, `[inner, rows]` by `[inner, columns]`.
    static func transposedProduct(
        _ left: [Float], _ right: [Float], rows: Int, inner: Int, columns: Int
    ) -> [Float] {
        var product = [Float](repeating: 0, count: rows * columns)
        cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows), blasint(columns),
            blasint(inner), 1, left, blasint(rows), right, blasint(columns), 0, &product,
            blasint(columns))
        return product
    }

    /// The softmax of each row of logits.
    static func softmax(_ logits: [Float], classes: Int) -> [Double] {
        var shares = logits.map { Double($0) }
        for start in stride(from: 0, to: shares.count, by: classes) {
            let largest = shares[start..<(start + classes)].max() ?? 0
            var total = 0.0
            for index in start..<(start + classes) {
                shares[index] = exp(shares[index] - largest)
                total += shares[index]
            }
            for index in start..<(start + classes) { shares[index] /= total }
        }
        return shares
    }

    /// The largest eigenvalue of a symmetric matrix without negative ones, by power iteration;
    /// a fifth is added, because the iteration comes from below.
    static func largestEigenvalue(_ matrix: [Float], count: Int) -> Float {
        var random = RandomStream(seed: 1).derived("perturbation/probe/eigenvalue")
        var vector = (0..<count).map { _ in random.uniform(0.5, 1) }
        var value: Float = 1
        for _ in 0..<20 {
            var image = product(matrix, vector, rows: count, inner: count, columns: 1)
            value = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for index in image.indices { image[index] /= value }
            vector = image
        }
        return 1.2 * value
    }

    /// Turns logits into softmax minus one-hot targets, and answers the mean loss in nats.
    static func subtractTargets(_ logits: inout [Float], targets: [Int], keys: Int) -> Double {
        var loss = 0.0
        for (row, target) in targets.enumerated() {
            let start = row * keys
            var largest = logits[start]
            for index in start..<(start + keys) { largest = max(largest, logits[index]) }
            let own = logits[start + target] - largest
            var total: Float = 0
            for index in start..<(start + keys) {
                logits[index] = exp(logits[index] - largest)
                total += logits[index]
            }
            for index in start..<(start + keys) { logits[index] /= total }
            logits[start + target] -= 1
            loss += Double(log(total) - own)
        }
        return loss / Double(targets.count)
    }
}
