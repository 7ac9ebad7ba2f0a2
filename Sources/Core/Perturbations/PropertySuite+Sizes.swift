extension PropertySuite {
    /// P2: the budget holds before clipping, and what really moved stays within it.
    func checkBudget() throws(PropertyViolation) {
        switch traits.budget {
        case .none:
            try require(poison.delta.allSatisfy { $0 == 0 }, .budget, "something was added")
        case .maximum(let epsilon): try checkMaximum(epsilon)
        case .norm(let norm): try checkNorm(norm)
        case .positions(let most): try checkPositions(most)
        case .unbounded: break
        }
    }

    private func checkMaximum(_ epsilon: Double) throws(PropertyViolation) {
        // Rounding can lift a move to the nearest whole level, and no further.
        let levelsMax = Int(255 * epsilon + 0.5 + 1e-4)
        for index in poison.delta.indices {
            let levels = abs(Int(poison.images.pixels[index]) - Int(clean.pixels[index]))
            guard Double(abs(poison.delta[index])) <= epsilon + 1e-6, levels <= levelsMax else {
                return try require(
                    false, .budget,
                    "pixel \(index) moves by \(poison.delta[index]), in effect \(levels) levels; "
                        + "epsilon is \(epsilon)")
            }
        }
    }

    private func checkNorm(_ norm: Double) throws(PropertyViolation) {
        // Half a level a pixel is what rounding alone may add to the norm of an image.
        let rounding = 0.5 / 255 * Double(size).squareRoot()
        for image in 0..<clean.count {
            var (wanted, clipped, effective) = (0.0, 0.0, 0.0)
            for at in (image * size)..<((image + 1) * size) {
                let delta = Double(poison.delta[at])
                let level = Double(clean.pixels[at]) / 255
                let kept = min(max(level + delta, 0), 1) - level
                let moved = Double(Int(poison.images.pixels[at]) - Int(clean.pixels[at])) / 255
                wanted += delta * delta
                clipped += kept * kept
                effective += moved * moved
            }
            guard abs(wanted.squareRoot() - norm) <= 1e-5 * norm,
                clipped.squareRoot() <= norm + 1e-6 + 1e-5 * norm,
                effective.squareRoot() <= norm * (1 + 1e-5) + rounding
            else {
                return try require(
                    false, .budget,
                    "image \(clean.indices[image]) has norm \(wanted.squareRoot()), clipped "
                        + "\(clipped.squareRoot()), in effect \(effective.squareRoot()); "
                        + "the budget is \(norm)")
            }
        }
    }

    private func checkPositions(_ most: Int) throws(PropertyViolation) {
        for image in 0..<clean.count {
            let count = touchedPositions(of: image).count
            try require(
                count <= most, .budget,
                "image \(clean.indices[image]) changes at \(count) positions; "
                    + "the budget is \(most)")
        }
    }

    private func touchedPositions(of image: Int) -> Set<Int> {
        var positions: Set<Int> = []
        for element in 0..<size where poison.delta[image * size + element] != 0 {
            positions.insert(element % clean.shape.positions)
        }
        return positions
    }

    /// P3: equal keys share what the method's form says they share, and away from the ends of
    /// the range one delta moves all pixels by the same number of levels.
    func checkKeys() throws(PropertyViolation) {
        try checkUnclippedLevels()
        var first: [Int32: Int] = [:]
        var declared: [Int32: Set<Int>] = [:]
        for (image, key) in request.keys.enumerated() {
            if traits.form == .position {
                declared[key, default: []].formUnion(touchedPositions(of: image))
            }
            guard let model = first[key] else {
                first[key] = image
                continue
            }
            let same = slice(of: image) == slice(of: model)
            switch traits.form {
            case .classWise:
                try require(same, .keyConsistency, "images of key \(key) differ in perturbation")
            case .sampleWise:
                // Images may occur twice; then they have one index, and one perturbation.
                try require(
                    !same || clean.indices[image] == clean.indices[model], .keyConsistency,
                    "two images of key \(key) have one perturbation")
            case .position, .fromImage: break
            }
        }
        try checkSharedValues(declared)
    }

    private func slice(of image: Int) -> ArraySlice<Float> {
        poison.delta[(image * size)..<((image + 1) * size)]
    }

    private func checkUnclippedLevels() throws(PropertyViolation) {
        for index in poison.delta.indices {
            let move = 255 * Double(poison.delta[index])
            let target = Double(clean.pixels[index]) + move
            if target < 0 || target > 255 { continue }
            let levels = Int(poison.images.pixels[index]) - Int(clean.pixels[index])
            if levels != Int((move + 0.5).rounded(.down)) {
                return try require(
                    false, .keyConsistency,
                    "pixel \(index) moves by \(levels) levels with a perturbation of "
                        + "\(poison.delta[index])")
            }
        }
    }

    /// All images of a key show one value at each of the key's positions.
    private func checkSharedValues(_ declared: [Int32: Set<Int>]) throws(PropertyViolation) {
        var values: [[Int]: UInt8] = [:]
        for (image, key) in request.keys.enumerated() {
            for position in declared[key] ?? [] {
                for channel in 0..<clean.channels {
                    let element = channel * clean.shape.positions + position
                    let value = poison.images.pixels[image * size + element]
                    let place = [Int(key), element]
                    try require(
                        values[place, default: value] == value, .keyConsistency,
                        "images of key \(key) differ at element \(element), which they share")
                    values[place] = value
                }
            }
        }
    }
}
