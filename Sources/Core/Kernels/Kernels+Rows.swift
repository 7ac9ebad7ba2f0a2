import Foundation

/// Loops over rows that are too small or too rare to be worth C.
extension Kernels {
    static func naturalLog(_ x: Double) -> Double { log(x) }
    static func exponential(_ x: Double) -> Double { exp(x) }

    static func copy(_ x: Tensor, into y: Tensor, at place: Int) {
        precondition(place + x.count <= y.count, "\(x.count) floats do not fit at \(place)")
        (y.pointer + place).update(from: x.pointer, count: x.count)
    }

    static func copy(_ x: Tensor, from place: Int, into y: Tensor) {
        precondition(place + y.count <= x.count, "\(y.count) floats are not there at \(place)")
        y.pointer.update(from: x.pointer + place, count: y.count)
    }

    static func softmaxRows(_ x: Tensor, rows: Int, columns: Int, into y: Tensor, at place: Int) {
        softmaxRows(x, rows: rows, columns: columns, into: y.dropping(place))
    }

    static func softmaxRowsGradient(
        _ y: Tensor, at place: Int, _ gradient: Tensor, from: Int, rows: Int, columns: Int,
        into result: Tensor
    ) {
        softmaxRowsGradient(
            y.dropping(place), gradient.dropping(from), rows: rows, columns: columns, into: result)
    }

    static func dot(_ a: Tensor, _ aPlace: Int, _ b: Tensor, _ bPlace: Int, count: Int) -> Double {
        var total = 0.0
        for index in 0..<count {
            total += Double(a.pointer[aPlace + index]) * Double(b.pointer[bPlace + index])
        }
        return total
    }

    /// The diagonal of a square matrix becomes the lowest number there is.
    static func maskDiagonal(_ matrix: Tensor, size: Int) {
        for index in 0..<size {
            matrix.pointer[index * size + index] = -Float.greatestFiniteMagnitude
        }
    }

    static func transpose(
        _ x: Tensor, from place: Int = 0, rows: Int, columns: Int, into y: Tensor
    ) {
        for row in 0..<rows {
            for column in 0..<columns {
                y.pointer[column * rows + row] = x.pointer[place + row * columns + column]
            }
        }
    }

    static func channelSoftmaxGradient(
        _ y: Tensor, _ gradient: Tensor, channels: Int, pixels: Int, into result: Tensor
    ) {
        for pixel in 0..<pixels {
            var product = 0.0
            for channel in 0..<channels {
                let place = channel * pixels + pixel
                product += Double(y.pointer[place]) * Double(gradient.pointer[place])
            }
            for channel in 0..<channels {
                let place = channel * pixels + pixel
                result.pointer[place] =
                    y.pointer[place] * (gradient.pointer[place] - Float(product))
            }
        }
    }

    /// Zero with probability `rate`, else 1 / (1 - rate).
    static func drawMask(rate: Float, random: RandomStream, into mask: Tensor) {
        var random = random
        let kept = 1 / (1 - rate)
        for index in 0..<mask.count {
            mask.pointer[index] = random.uniform() < rate ? 0 : kept
        }
    }

    /// Calls `body(patch place, image place)` for each number of the shifted copies that comes
    /// from inside the image; the places that do not are left alone.
    private static func eachPatchNumber(
        channels: Int, images: Int, height: Int, width: Int, side: Int, _ body: (Int, Int) -> Void
    ) {
        // The image itself, then moved right, left, down, up.
        let shifts = [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)]
        let across = width / side
        let columns = 5 * channels * side * side
        for image in 0..<images {
            for row in 0..<height {
                for column in 0..<width {
                    let patch = (row / side) * across + column / side
                    let inside = (row % side) * side + column % side
                    let start =
                        (image * (height / side) * across + patch) * columns
                        + inside * 5 * channels
                    for (copy, shift) in shifts.enumerated() {
                        let fromRow = row + shift.0
                        let fromColumn = column + shift.1
                        guard fromRow >= 0, fromRow < height, fromColumn >= 0, fromColumn < width
                        else { continue }
                        for channel in 0..<channels {
                            body(
                                start + copy * channels + channel,
                                ((channel * images + image) * height + fromRow) * width
                                    + fromColumn)
                        }
                    }
                }
            }
        }
    }

    static func shiftedPatches(
        _ x: Tensor, channels: Int, images: Int, height: Int, width: Int, side: Int,
        into y: Tensor
    ) {
        clear(y)
        eachPatchNumber(
            channels: channels, images: images, height: height, width: width, side: side
        ) { patch, image in y.pointer[patch] = x.pointer[image] }
    }

    static func shiftedPatchesGradient(
        _ gradient: Tensor, channels: Int, images: Int, height: Int, width: Int, side: Int,
        into result: Tensor
    ) {
        clear(result)
        eachPatchNumber(
            channels: channels, images: images, height: height, width: width, side: side
        ) { patch, image in result.pointer[image] += gradient.pointer[patch] }
    }

    static func prependToken(
        _ x: Tensor, token: Tensor, positions: Tensor, images: Int, count: Int, dimension: Int,
        into y: Tensor
    ) {
        for image in 0..<images {
            let to = y.pointer + image * (count + dimension)
            for index in 0..<dimension { to[index] = token.pointer[index] }
            (to + dimension).update(from: x.pointer + image * count, count: count)
            accumulate(
                positions,
                onto: y.dropping(image * (count + dimension)).prefix(
                    count + dimension))
        }
    }

    static func prependTokenGradient(
        _ gradient: Tensor, images: Int, count: Int, dimension: Int, into result: Tensor?,
        tokenGradient: Tensor?, positionGradient: Tensor?
    ) {
        let whole = count + dimension
        if let tokenGradient {
            for index in 0..<dimension {
                var total = 0.0
                for image in 0..<images {
                    total += Double(gradient.pointer[image * whole + index])
                }
                tokenGradient.pointer[index] = Float(total)
            }
        }
        if let positionGradient {
            columnSums(gradient, rows: images, columns: whole, into: positionGradient)
        }
        guard let result else { return }
        for image in 0..<images {
            (result.pointer + image * count).update(
                from: gradient.pointer + image * whole + dimension, count: count)
        }
    }

    static func firstRows(
        _ x: Tensor, images: Int, stride: Int, columns: Int, into y: Tensor
    ) {
        for image in 0..<images {
            (y.pointer + image * columns).update(from: x.pointer + image * stride, count: columns)
        }
    }

    static func firstRowsGradient(
        _ gradient: Tensor, images: Int, stride: Int, columns: Int, into result: Tensor
    ) {
        clear(result)
        for image in 0..<images {
            (result.pointer + image * stride).update(
                from: gradient.pointer + image * columns, count: columns)
        }
    }
}
