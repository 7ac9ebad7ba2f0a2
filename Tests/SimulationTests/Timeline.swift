import FathomProtocol

/// What will happen in a simulation, soonest first; what was planned first among equals.
struct Timeline<Event> {
    private var items: [(at: Instant, order: Int, event: Event)] = []
    private var planned = 0

    var isEmpty: Bool { items.isEmpty }

    mutating func plan(_ event: Event, at instant: Instant) {
        items.append((instant, planned, event))
        planned += 1
        var child = items.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (at: Instant, event: Event)? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        if !items.isEmpty {
            items[0] = last
            var parent = 0
            while true {
                var best = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < items.count && precedes(child, best) {
                    best = child
                }
                if best == parent { break }
                items.swapAt(best, parent)
                parent = best
            }
        }
        return (first.at, first.event)
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (items[left].at, items[left].order) < (items[right].at, items[right].order)
    }
}
