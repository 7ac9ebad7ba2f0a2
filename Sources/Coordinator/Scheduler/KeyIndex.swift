import FathomCore
import FathomProtocol

/// Finds the place of a job by its key, in four bytes a place where a dictionary takes forty or
/// more. The keys themselves lie with whoever has the places.
///
/// Keys are digests, so that a part of one is as good a hash as any.
struct KeyIndex: Sendable {
    /// One more than the place; 0 where nothing is.
    private var slots: [UInt32]
    private let mask: Int

    /// - Parameter capacity: How many keys will be there at most; below 2^31.
    init(capacity: Int) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        slots = Array(repeating: 0, count: size)
        mask = size - 1
    }

    /// The place of a key, found by looking at those that could be it.
    func place(of key: JobKey, keyAt: (Int) -> JobKey) -> Int? {
        var slot = Int(truncatingIfNeeded: key.digest.firstWord) & mask
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if keyAt(place) == key { return place }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Adds a key that is not there yet.
    mutating func insert(_ key: JobKey, place: Int) {
        var slot = Int(truncatingIfNeeded: key.digest.firstWord) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(place) + 1
    }
}
