/// Loops over images of a batch, `[channels][images][height][width]`, and over rows of numbers.
extension Kernels {
    /// Puts the chosen rows of `size` numbers beside each other.
    static func copyRows(_ numbers: [Float], _ chosen: [Int], size: Int, into y: Tensor) {
        precondition(chosen.count * size <= y.count, "\(chosen.count) rows do not fit")
        numbers.withUnsafeBufferPointer { numbers in
            for (target, row) in chosen.enumerated() {
                precondition((row + 1) * size <= numbers.count, "row \(row) is not there")
                guard let base = numbers.baseAddress else { return }
                (y.pointer + target * size).update(from: base + row * size, count: size)
            }
        }
    }
}
