import FathomCore
import FathomProtocol

/// Finished jobs that are computed a second time, on another worker where there is one, so that a
/// machine that computes wrongly is found.
struct AuditBook: Sendable {
    struct Item: Sendable {
        let job: Int
        /// Who computed it first, as far as we know.
        var computedBy: Int?
        var attemptsLeft = 3
    }

    private var queue = IndexQueue()
    private var items: [Int: Item] = [:]

    /// Jobs that wait for their audit or are in one.
    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }
    var isQueueEmpty: Bool { queue.isEmpty }

    mutating func add(_ job: Int, computedBy worker: Int?) {
        guard items[job] == nil else { return }
        items[job] = Item(job: job, computedBy: worker)
        queue.append(job)
    }

    /// The jobs that `next` will look at.
    var upcoming: [Item] { queue.prefix(Self.looks).compactMap { items[$0] } }

    private static let looks = 16

    /// The next of some jobs; those before it that are none of them go to the end.
    mutating func next(among suitable: Set<Int>) -> Int? {
        for _ in 0..<min(queue.count, Self.looks) {
            guard let job = queue.popFirst() else { return nil }
            guard items[job] != nil else { continue }
            if suitable.contains(job) { return job }
            queue.append(job)
        }
        return nil
    }

    /// An audit ended without an outcome and is tried again, unless that was its last chance.
    ///
    /// - Returns: Whether it is tried again.
    mutating func putBack(_ job: Int, isCharged: Bool) -> Bool {
        guard var item = items[job] else { return true }
        if isCharged { item.attemptsLeft -= 1 }
        guard item.attemptsLeft > 0 else {
            items[job] = nil
            return false
        }
        items[job] = item
        queue.append(job)
        return true
    }

    mutating func close(_ job: Int) { items[job] = nil }

    /// Whether a job belongs to the sample: the same jobs whoever asks and whenever.
    static func samples(_ key: JobKey, share: Double) -> Bool {
        guard share > 0 else { return false }
        return Double(key.digest.firstWord) < share * 0x1p64
    }
}
