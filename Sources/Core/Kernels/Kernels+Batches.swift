/// Loops over single images of a batch, `[channels][images][height][width]`, and over rows of
/// numbers.
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

    /// Where a channel of an image begins.
    private static func plane(
        _ x: Tensor, _ channel: Int, _ image: Int, _ count: Int, _ shape: ImageShape
    ) -> UnsafeMutablePointer<Float> {
        precondition(
            image >= 0 && image < count && x.count == count * shape.elements,
            "image \(image) of \(count) is not in a batch of \(x.count) floats")
        return x.pointer + (channel * count + image) * shape.positions
    }

    /// Copies an image out, channel after channel.
    static func read(
        _ x: Tensor, image: Int, of count: Int, _ shape: ImageShape, into pixels: inout [Float]
    ) {
        precondition(pixels.count == shape.elements, "\(pixels.count) places for \(shape)")
        pixels.withUnsafeMutableBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            for channel in 0..<shape.channels {
                (base + channel * shape.positions).update(
                    from: plane(x, channel, image, count, shape), count: shape.positions)
            }
        }
    }

    /// Copies an image in.
    static func write(
        _ pixels: [Float], into x: Tensor, image: Int, of count: Int, _ shape: ImageShape
    ) {
        precondition(pixels.count == shape.elements, "\(pixels.count) numbers for \(shape)")
        pixels.withUnsafeBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            for channel in 0..<shape.channels {
                plane(x, channel, image, count, shape).update(
                    from: base + channel * shape.positions, count: shape.positions)
            }
        }
    }

    /// Puts zeros into a box of an image.
    static func clear(
        _ x: Tensor, image: Int, of count: Int, _ shape: ImageShape, rows: Range<Int>,
        columns: Range<Int>
    ) {
        for channel in 0..<shape.channels {
            let from = plane(x, channel, image, count, shape)
            for row in rows {
                (from + row * shape.width + columns.lowerBound).update(
                    repeating: 0, count: columns.count)
            }
        }
    }

    /// Puts a box of one batch's image into the same place of another's.
    static func paste(
        _ x: Tensor, image: Int, from other: Tensor, image partner: Int, of count: Int,
        _ shape: ImageShape, rows: Range<Int>, columns: Range<Int>
    ) {
        for channel in 0..<shape.channels {
            let to = plane(x, channel, image, count, shape)
            let from = plane(other, channel, partner, count, shape)
            for row in rows {
                let place = row * shape.width + columns.lowerBound
                (to + place).update(from: from + place, count: columns.count)
            }
        }
    }

    /// x = (1 - share) * x + share * other, of one image each.
    static func blend(
        _ x: Tensor, image: Int, with other: Tensor, image partner: Int, of count: Int,
        _ shape: ImageShape, share: Float
    ) {
        for channel in 0..<shape.channels {
            let to = plane(x, channel, image, count, shape)
            let from = plane(other, channel, partner, count, shape)
            for place in 0..<shape.positions {
                to[place] = (1 - share) * to[place] + share * from[place]
            }
        }
    }

    /// Adds what is drawn to every number of an image.
    static func shift(
        _ x: Tensor, image: Int, of count: Int, _ shape: ImageShape, by draw: () -> Float
    ) {
        for channel in 0..<shape.channels {
            let to = plane(x, channel, image, count, shape)
            for place in 0..<shape.positions { to[place] += draw() }
        }
    }

    /// One step of length `step` along the gradient's signs, then back into the box around the
    /// centre, and into 0...1.
    static func climb(
        _ x: Tensor, along gradient: Tensor, step: Float, around centre: Tensor,
        within radius: Float
    ) {
        precondition(
            x.count == gradient.count && x.count == centre.count,
            "\(x.count), \(gradient.count) and \(centre.count) floats do not go together")
        for place in 0..<x.count {
            let slope = gradient.pointer[place]
            let sign: Float = slope > 0 ? 1 : slope < 0 ? -1 : 0
            let middle = centre.pointer[place]
            let moved = x.pointer[place] + step * sign
            let boxed = min(max(moved, middle - radius), middle + radius)
            x.pointer[place] = min(max(boxed, 0), 1)
        }
    }
}
