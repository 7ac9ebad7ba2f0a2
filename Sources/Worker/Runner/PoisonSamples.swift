public import FathomCore
public import FathomProtocol

/// Some images of poisons, before and after, for people to look at. Keeps the data set it opened
/// last, so poisons of one set are best asked for in a row.
public final class PoisonSamples {
    private let data = RunnerData()
    private let dataFolder: String?

    /// - Parameter dataFolder: Where data sets lie; `nil` for the usual places of the system.
    public init(dataFolder: String?) { self.dataFolder = dataFolder }

    /// The first image of each of the first `count` classes that the poison changes, or else of the
    /// first classes.
    ///
    /// - Parameter path: The job's artifact `poison`.
    /// - Throws: When the data set is not here, is another one, or the artifact does not fit it.
    public func images(
        _ spec: PoisonSpec, artifact path: String, count: Int
    ) throws -> (clean: ImageSet, poisoned: ImageSet) {
        let clean = try data.images(spec.data, folder: dataFolder).train
        let poisoned = try PoisonFile.read(path, clean: clean)
        let positions = PoisonSamples.positions(clean: clean, poisoned: poisoned, count: count)
        return (clean.selecting(positions), poisoned.selecting(positions))
    }

    private static func positions(clean: ImageSet, poisoned: ImageSet, count: Int) -> [Int] {
        var first: [Int32: Int] = [:]
        var changed: [Int32: Int] = [:]
        let size = clean.pixelsPerImage
        for position in 0..<clean.count {
            let label = clean.labels[position]
            if first[label] == nil { first[label] = position }
            guard changed[label] == nil else { continue }
            let pixels = (position * size)..<((position + 1) * size)
            if poisoned.labels[position] != label
                || clean.pixels[pixels] != poisoned.pixels[pixels]
            {
                changed[label] = position
            }
        }
        return first.sorted { $0.key < $1.key }.prefix(count).map { changed[$0.key] ?? $0.value }
    }
}
