/// A first-in-first-out buffer on one growing array, for queues that are guarded elsewhere.
struct Ring<Element> {
    private var slots: [Element?] = []
    private var head = 0

    /// How many elements are waiting.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var first: Element? { count == 0 ? nil : slots[head] }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = element
        count += 1
    }

    mutating func removeFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head].take()
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    /// Doubles the room. The size stays a power of two, so that a mask wraps an index.
    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(max(16, slots.count * 2))
        for offset in 0..<count { larger.append(slots[(head + offset) & (slots.count - 1)].take()) }
        larger.append(contentsOf: repeatElement(nil, count: max(16, slots.count * 2) - count))
        slots = larger
        head = 0
    }
}
