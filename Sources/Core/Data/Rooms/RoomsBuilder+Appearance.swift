/// How a drawn scene looks: colors, patterns, light.
extension RoomsBuilder {
    mutating func color(_ objects: inout [RoomsScene.Object], class index: Int) {
        for place in objects.indices {
            if place == 0 {
                objects[0].material.pattern =
                    RoomsMaterial.Pattern(rawValue: index % 2) ?? .stripes
            }
            let (first, second) = colorPair()
            objects[place].material.first = first
            objects[place].material.second = second
            let period = uniform(0.46, 0.62) * Double(objects[place].scale)
            let cells = objects[place].material.pattern == .stripes ? 2.0 : 1.7
            objects[place].material.axes = frame(length: cells / period)
            objects[place].material.noiseSeed = noiseSeed()
        }
    }

    private mutating func noiseSeed() -> UInt32 { UInt32(truncatingIfNeeded: random.nextBits()) }

    mutating func color() -> [Double] {
        let hue = 6 * uniform(0, 1)
        let saturation = uniform(0.25, 0.9)
        let value = uniform(0.35, 0.95)
        // The distance around the color circle from each of red, green and blue.
        return [0.0, 2, 4].map { primary in
            let apart = abs(hue - primary)
            let around = min(apart, 6 - apart)
            let share = min(max(2 - around, 0), 1)
            return value * (1 - saturation * (1 - share))
        }
    }

    private static func luma(_ color: [Double]) -> Double {
        0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    }

    private mutating func colorPair() -> (Vector3, Vector3) {
        var first = color()
        var second = color()
        var triesLeft = 63
        while abs(RoomsBuilder.luma(first) - RoomsBuilder.luma(second)) < knobs.lumaGap,
            triesLeft > 0
        {
            first = color()
            second = color()
            triesLeft -= 1
        }
        return (vector(first), vector(second))
    }

    private func vector(_ values: [Double]) -> Vector3 {
        Vector3(Float(values[0]), Float(values[1]), Float(values[2]))
    }

    /// A random rotation's three rows (Shoemake, 1992), made to a length.
    private mutating func frame(length: Double) -> (Vector3, Vector3, Vector3) {
        let share = uniform(0, 1)
        let first = ExactMath.sineAndCosine(turns: uniform(0, 1))
        let second = ExactMath.sineAndCosine(turns: uniform(0, 1))
        let low = (1 - share).squareRoot()
        let high = share.squareRoot()
        let (x, y) = (low * first.sine, low * first.cosine)
        let (z, w) = (high * second.sine, high * second.cosine)
        func row(_ a: Double, _ b: Double, _ c: Double) -> Vector3 {
            vector([length * a, length * b, length * c])
        }
        return (
            row(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            row(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            row(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y))
        )
    }

    mutating func roomSurface() -> RoomsMaterial {
        let first = color()
        let factor = uniform(0.75, 1.25)
        let drawn = choice(3)
        let period = uniform(0.7, 1.4)
        let isTurned = choice(2) == 1
        var material = RoomsMaterial()
        material.first = vector(first)
        material.second = vector(first.map { min(1, $0 * factor) })
        material.pattern = [.plain, .stripes, .checks][knobs.hasRoomPatterns ? drawn : 0]
        let cells = Float(2 / period)
        // Patterns of rooms are counted in the plane's own two coordinates.
        let along = Vector3(isTurned ? 0 : cells, isTurned ? cells : 0, 0)
        let across = Vector3(isTurned ? cells : 0, isTurned ? 0 : cells, 0)
        material.axes = (along, across, Vector3(0, 0, 0))
        material.noiseSeed = noiseSeed()
        return material
    }

    mutating func light() -> RoomsLight {
        let azimuth = sineAndCosine(degrees: uniform(0, 360))
        let elevation = sineAndCosine(degrees: uniform(35, 75))
        let ambient = uniform(0.28, 0.42)
        let diffuse = uniform(0.5, 0.8)
        let tint = [uniform(0.94, 1.06), uniform(0.94, 1.06), uniform(0.94, 1.06)]
        let low = color()
        let high = color()
        return RoomsLight(
            direction: vector([
                elevation.cosine * azimuth.sine, elevation.sine,
                -abs(elevation.cosine * azimuth.cosine),
            ]),
            ambient: Float(ambient), diffuse: Float(diffuse), tint: vector(tint),
            skyLow: vector(low), skyHigh: vector(high))
    }
}
