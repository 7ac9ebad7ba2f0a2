/// The eigenvalues and eigenvectors of a small symmetric matrix.
public struct SymmetricEigen: Sendable {
    /// Falling.
    public let values: [Double]
    /// Of unit length, in the order of the values; the entry farthest from zero is positive, the
    /// first of several.
    public let vectors: [[Double]]

    /// Jacobi's method (1846), cyclic by rows, until nothing off the diagonal counts any more.
    ///
    /// - Parameter matrix: Square and symmetric; only its numbers on and above the diagonal count.
    /// - Complexity: O(n³) a round, and some ten rounds.
    public init(_ matrix: [[Double]]) {
        let count = matrix.count
        precondition(matrix.allSatisfy { $0.count == count }, "the matrix is not square")
        var rotation = JacobiRotation(matrix)
        for _ in 0..<100 where rotation.isUnfinished { rotation.round() }
        let order = (0..<count).sorted {
            (-rotation.matrix[$0][$0], $0) < (-rotation.matrix[$1][$1], $1)
        }
        values = order.map { rotation.matrix[$0][$0] }
        vectors = order.map { column in
            let vector = rotation.vectors.map { $0[column] }
            let farthest = vector.reduce(0) { abs($1) > abs($0) ? $1 : $0 }
            return farthest < 0 ? vector.map { -$0 } : vector
        }
    }
}

/// A matrix on its way to a diagonal one, and the product of the rotations so far.
private struct JacobiRotation {
    var matrix: [[Double]]
    var vectors: [[Double]]
    private let floor: Double

    init(_ source: [[Double]]) {
        let range = source.indices
        matrix = range.map { row in range.map { source[min(row, $0)][max(row, $0)] } }
        vectors = range.map { row in range.map { $0 == row ? 1 : 0 } }
        floor = 1e-15 * matrix.reduce(0) { $0 + $1.reduce(0) { $0 + abs($1) } }
    }

    var isUnfinished: Bool {
        matrix.indices.contains { row in
            matrix.indices.contains { $0 > row && abs(matrix[row][$0]) > floor }
        }
    }

    mutating func round() {
        for row in matrix.indices {
            for column in matrix.indices where column > row { rotate(row, column) }
        }
    }

    /// Turns the plane of two axes so that the number between them becomes zero.
    private mutating func rotate(_ p: Int, _ q: Int) {
        guard abs(matrix[p][q]) > 0 else { return }
        let half = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q])
        let tangent = (half < 0 ? -1 : 1) / (abs(half) + (half * half + 1).squareRoot())
        let cosine = 1 / (tangent * tangent + 1).squareRoot()
        let sine = tangent * cosine
        for k in matrix.indices {
            (matrix[k][p], matrix[k][q]) = (
                cosine * matrix[k][p] - sine * matrix[k][q],
                sine * matrix[k][p] + cosine * matrix[k][q]
            )
        }
        for k in matrix.indices {
            (matrix[p][k], matrix[q][k]) = (
                cosine * matrix[p][k] - sine * matrix[q][k],
                sine * matrix[p][k] + cosine * matrix[q][k]
            )
        }
        for k in matrix.indices {
            (vectors[k][p], vectors[k][q]) = (
                cosine * vectors[k][p] - sine * vectors[k][q],
                sine * vectors[k][p] + cosine * vectors[k][q]
            )
        }
    }
}
