extension ImageSet {
    /// The images at `positions`, in that order, each keeping its own index.
    public func selecting(_ positions: [Int]) -> ImageSet {
        var chosen: [UInt8] = []
        chosen.reserveCapacity(positions.count * pixelsPerImage)
        for position in positions {
            chosen += pixels[(position * pixelsPerImage)..<((position + 1) * pixelsPerImage)]
        }
        var subset = ImageSet(
            channels: channels, height: height, width: width, classCount: classCount,
            pixels: chosen, labels: positions.map { labels[$0] },
            indices: positions.map { indices[$0] })
        subset.pixelClassCount = pixelClassCount
        subset.numbers = numbers.map { numbers in
            positions.flatMap { numbers[($0 * pixelsPerImage)..<(($0 + 1) * pixelsPerImage)] }
        }
        return subset
    }

    /// A random subset with equal shares of the classes.
    ///
    /// All images are put in a random order, and of each class its first `count / classCount` are
    /// taken, one more of the lowest classes when that does not divide. The random order stays.
    ///
    /// - Parameters:
    ///   - wanted: How many images; 0 stands for all of them in their own order.
    ///   - random: A stream for this purpose; a copy of it is drawn from.
    /// - Returns: The subset, each image with its own index.
    /// - Throws: `DataError.tooFewOfClass` where a class has too few images.
    public func stratifiedSubset(
        count wanted: Int, random: RandomStream
    ) throws(DataError) -> ImageSet {
        if wanted == 0 { return self }
        return selecting(
            try StratifiedSubset.positions(
                labels: labels, classCount: classCount, count: wanted, random: random))
    }
}

/// Chooses random subsets with equal shares of the classes, from labels alone.
enum StratifiedSubset {
    /// Which images are chosen, in random order; 0 stands for all of them in their own order.
    static func positions(
        labels: [Int32], classCount: Int, count wanted: Int, random: RandomStream
    ) throws(DataError) -> [Int] {
        precondition(wanted >= 0, "a subset of \(wanted) images")
        if wanted == 0 { return Array(labels.indices) }
        var open = try quotas(of: wanted, labels: labels, classCount: classCount)
        var random = random
        var positions: [Int] = []
        positions.reserveCapacity(wanted)
        for position in random.permutation(labels.count) where open[Int(labels[position])] > 0 {
            open[Int(labels[position])] -= 1
            positions.append(position)
        }
        return positions
    }

    /// How many images each class gives to a subset of `wanted`.
    private static func quotas(
        of wanted: Int, labels: [Int32], classCount: Int
    ) throws(DataError) -> [Int] {
        var available = [Int](repeating: 0, count: classCount)
        for label in labels { available[Int(label)] += 1 }
        var quotas: [Int] = []
        for index in 0..<classCount {
            let quota = wanted / classCount + (index < wanted % classCount ? 1 : 0)
            guard quota <= available[index] else {
                throw .tooFewOfClass(index: index, wanted: quota, available: available[index])
            }
            quotas.append(quota)
        }
        return quotas
    }
}
