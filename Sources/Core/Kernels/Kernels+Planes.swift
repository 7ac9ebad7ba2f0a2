extension Kernels {
    /// Rows of planes become columns: `[rows][columns][plane]` is written `[columns][rows][plane]`.
    static func transposePlanes(
        _ source: UnsafeBufferPointer<Float>, rows: Int, columns: Int, plane: Int, into y: Tensor
    ) {
        precondition(
            source.count == rows * columns * plane && y.count == source.count,
            "\(source.count) and \(y.count) floats for \(rows)x\(columns) planes of \(plane)")
        guard let base = source.baseAddress else { return }
        for row in 0..<rows {
            for column in 0..<columns {
                (y.pointer + (column * rows + row) * plane).update(
                    from: base + (row * columns + column) * plane, count: plane)
            }
        }
    }

    /// The same out of a tensor.
    static func transposedPlanes(
        _ source: Tensor, rows: Int, columns: Int, plane: Int
    ) -> [Float] {
        precondition(source.count == rows * columns * plane, "\(source.count) floats")
        return [Float](unsafeUninitializedCapacity: source.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            for row in 0..<rows {
                for column in 0..<columns {
                    (base + (column * rows + row) * plane).initialize(
                        from: source.pointer + (row * columns + column) * plane, count: plane)
                }
            }
            count = source.count
        }
    }
}
