extension Kernels {
    /// The sum of `weights[i] * (tensors[i] - origin)`, added up in `Double`.
    ///
    /// - Complexity: O(tensors × elements); one allocation.
    static func weightedDifferences(
        _ tensors: [Tensor], from origin: Tensor, weights: [Double]
    ) -> Tensor {
        precondition(
            tensors.count == weights.count && tensors.allSatisfy { $0.count == origin.count },
            "\(tensors.count) tensors for \(weights.count) weights, or of different sizes")
        let result = Tensor(zeros: origin.count)
        let pointers = tensors.map(\.pointer)
        for element in 0..<origin.count {
            let start = Double(origin.pointer[element])
            var sum = 0.0
            for index in pointers.indices {
                sum += weights[index] * (Double(pointers[index][element]) - start)
            }
            result.pointer[element] = Float(sum)
        }
        return result
    }

    /// The mean of each block of `rows` times `columns` that a plane is cut into.
    static func blockMeans(
        _ x: Tensor, planes: Int, height: Int, width: Int, rows: Int, columns: Int, into y: Tensor
    ) {
        for plane in 0..<planes {
            let source = x.pointer + plane * height * width
            for row in 0..<rows {
                for column in 0..<columns {
                    let down = row * height / rows..<(row + 1) * height / rows
                    let along = column * width / columns..<(column + 1) * width / columns
                    var sum: Float = 0
                    for i in down { for j in along { sum += source[i * width + j] } }
                    y.pointer[(plane * rows + row) * columns + column] =
                        sum / Float(down.count * along.count)
                }
            }
        }
    }

    /// The gradient of `blockMeans`: each mean's, shared out evenly over its block.
    static func blockMeansGradient(
        _ gradient: Tensor, planes: Int, height: Int, width: Int, rows: Int, columns: Int,
        into result: Tensor
    ) {
        for plane in 0..<planes {
            let target = result.pointer + plane * height * width
            for row in 0..<rows {
                for column in 0..<columns {
                    let down = row * height / rows..<(row + 1) * height / rows
                    let along = column * width / columns..<(column + 1) * width / columns
                    let share =
                        gradient.pointer[(plane * rows + row) * columns + column]
                        / Float(down.count * along.count)
                    for i in down { for j in along { target[i * width + j] = share } }
                }
            }
        }
    }
}
