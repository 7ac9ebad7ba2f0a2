/// Structural similarity (Wang et al., 2004) over uniform windows, with the usual constants.
struct StructuralSimilarity {
    let window: Int
    let stride: Int

    /// What must be known to compare the number with another's.
    var variant: String {
        "uniform \(window)x\(window) windows at stride \(stride), mean over channels and images"
    }

    /// The mean over all images; 1 for equal ones.
    func mean(_ left: ImageSet, _ right: ImageSet) -> Double {
        let height = min(window, left.height)
        let width = min(window, left.width)
        var total = 0.0
        var count = 0
        for plane in 0..<(left.count * left.channels) {
            for row in Swift.stride(from: 0, through: left.height - height, by: stride) {
                for column in Swift.stride(from: 0, through: left.width - width, by: stride) {
                    let start = (plane * left.height + row) * left.width + column
                    total += similarity(
                        left.pixels, right.pixels, start: start, rowBytes: left.width,
                        height: height, width: width)
                    count += 1
                }
            }
        }
        return total / Double(count)
    }

    private func similarity(
        _ left: [UInt8], _ right: [UInt8], start: Int, rowBytes: Int, height: Int, width: Int
    ) -> Double {
        // At most 64 bytes a window: whole sums fit with room to spare.
        var sums = (left: 0, right: 0, leftSquare: 0, rightSquare: 0, product: 0)
        for row in 0..<height {
            for at in (start + row * rowBytes)..<(start + row * rowBytes + width) {
                let a = Int(left[at])
                let b = Int(right[at])
                sums.left &+= a
                sums.right &+= b
                sums.leftSquare &+= a &* a
                sums.rightSquare &+= b &* b
                sums.product &+= a &* b
            }
        }
        let count = Double(height * width)
        let (meanA, meanB) = (Double(sums.left) / count, Double(sums.right) / count)
        let varianceA = Double(sums.leftSquare) / count - meanA * meanA
        let varianceB = Double(sums.rightSquare) / count - meanB * meanB
        let covariance = Double(sums.product) / count - meanA * meanB
        let luminance = (0.01 * 255) * (0.01 * 255)
        let contrast = (0.03 * 255) * (0.03 * 255)
        return (2 * meanA * meanB + luminance) * (2 * covariance + contrast)
            / ((meanA * meanA + meanB * meanB + luminance)
                * (varianceA + varianceB + contrast))
    }
}
