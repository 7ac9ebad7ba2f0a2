import FathomProtocol

/// A job in a slot's pipe.
struct Running: Sendable {
    var assignment: Assignment
    var share = 0.0
    /// Whether the coordinator no longer wants it.
    var isCancelled = false
    /// Whether a slot has died with it and others in its pipe.
    var isSuspect = false
}

/// The jobs in a slot's pipe, oldest first. What ends is nearly always the first.
struct WorkLine: Sendable {
    private var items: [Running] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Running? { isEmpty ? nil : items[head] }
    var all: ArraySlice<Running> { items[head...] }

    /// - Parameter index: Counted from the oldest.
    subscript(index: Int) -> Running {
        get { items[head + index] }
        set { items[head + index] = newValue }
    }

    func firstIndex(of lease: Lease) -> Int? {
        all.firstIndex { $0.assignment.lease == lease }.map { $0 - head }
    }

    mutating func append(_ running: Running) { items.append(running) }

    mutating func removeFirst() { _ = remove(at: 0) }

    mutating func remove(at index: Int) -> Running {
        guard index == 0 else { return items.remove(at: head + index) }
        let running = items[head]
        head += 1
        if head == items.count || head >= 1_024 {
            items.removeFirst(head)
            head = 0
        }
        return running
    }
}
