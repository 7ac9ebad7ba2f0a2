/// Which classes a Taskonomy set is learned by: those that enough training images are most likely
/// of; all others are one more, "other".
public struct TaskonomyClasses: Hashable, Sendable {
    /// The classes kept, rising, by their number in the class files.
    public let kept: [Int]
    /// How many classes of training images became "other".
    public let mergedCount: Int
    /// Whether any image is of "other".
    public let hasOther: Bool

    /// - Parameters:
    ///   - train: The most likely class of every training image.
    ///   - test: Of every test image; what training has not is "other" too.
    ///   - imagesMin: A class with fewer training images is not kept.
    public init(train: [Int], test: [Int], imagesMin: Int) {
        var counts: [Int: Int] = [:]
        for label in train { counts[label, default: 0] += 1 }
        let kept = counts.filter { $0.value >= imagesMin }.keys.sorted()
        self.kept = kept
        mergedCount = counts.count - kept.count
        hasOther = mergedCount > 0 || test.contains { !kept.contains($0) }
    }

    /// Classes that are learned.
    public var count: Int { kept.count + (hasOther ? 1 : 0) }

    /// The class that is learned for a class of the files.
    public func label(_ number: Int) -> Int32 {
        Int32(kept.firstIndex(of: number) ?? kept.count)
    }
}
