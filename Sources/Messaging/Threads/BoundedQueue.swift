import Glibc

/// A first-in-first-out queue between threads that never holds more than it was built for.
///
/// Both the number of elements and their total weight (bytes, as a rule) are bounded. An element
/// is taken in while the queue is below both bounds, so the weight may pass its bound by one
/// element and a heavy element is never stuck outside an empty queue.
///
/// Unchecked, because every access to the stored state happens with `monitor` locked.
public final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    /// The most elements the queue holds.
    public let capacity: Int
    /// The weight from which on the queue counts as full.
    public let weightMax: Int

    private let weigh: @Sendable (Element) -> Int
    private let monitor = ThreadMonitor()
    private var elements = Ring<Element>()
    private var weight = 0
    private var wakePending = false
    private var closed = false

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - capacity: The most elements it holds; at least 1.
    ///   - weightMax: The weight from which on it counts as full; at least 1.
    ///   - weigh: An element's weight, the same whenever it is asked for.
    public init(
        capacity: Int, weightMax: Int = .max,
        weigh: @escaping @Sendable (Element) -> Int = { _ in 0 }
    ) {
        precondition(capacity >= 1, "capacity is \(capacity); at least 1")
        precondition(weightMax >= 1, "weightMax is \(weightMax); at least 1")
        self.capacity = capacity
        self.weightMax = weightMax
        self.weigh = weigh
    }

    /// How many elements are waiting.
    public var count: Int { locked { elements.count } }

    /// What the waiting elements weigh together.
    public var totalWeight: Int { locked { weight } }

    /// Whether `close()` was called. What waited then can still be taken.
    public var isClosed: Bool { locked { closed } }

    /// How many more elements fit, and how much more weight; zero elements when either is used up.
    public var room: (elements: Int, weight: Int) {
        locked { isFull ? (0, 0) : (capacity - elements.count, weightMax - weight) }
    }

    /// Appends an element if there is room now, without waiting.
    ///
    /// - Returns: False when the queue is full or closed; the element was not taken in.
    @discardableResult
    public func offer(_ element: Element) -> Bool {
        locked { take(in: element) }
    }

    /// Appends as many elements as there is room for, in order and in one step, without waiting.
    ///
    /// - Returns: How many were taken in, counted from the first.
    public func offer(contentsOf batch: [Element]) -> Int {
        locked {
            for (index, element) in batch.enumerated() where !take(in: element) { return index }
            return batch.count
        }
    }

    /// Appends an element, waiting for room.
    ///
    /// - Returns: False when the time was over or the queue closed before there was room.
    public func put(_ element: Element, within duration: Duration) -> Bool {
        let deadline = deadline(after: duration)
        return locked {
            while isFull && !closed, let deadline {
                guard monitor.wait(for: .roomThere, until: deadline) else { break }
            }
            return take(in: element)
        }
    }

    /// Takes the oldest elements, waiting until there is at least one.
    ///
    /// - Parameters:
    ///   - countMax: The most elements to take; at least 1.
    ///   - duration: How long to wait for the first; `.zero` takes what is there.
    /// - Returns: The elements, oldest first; empty when the time was over, the queue is closed
    ///   and drained, or `wake()` was called.
    public func take(atMost countMax: Int, within duration: Duration) -> [Element] {
        precondition(countMax >= 1, "countMax is \(countMax); at least 1")
        let deadline = deadline(after: duration)
        return locked {
            while elements.isEmpty && !closed && !wakePending, let deadline {
                guard monitor.wait(for: .somethingThere, until: deadline) else { break }
            }
            wakePending = false
            return takeOut(min(countMax, elements.count))
        }
    }

    /// Makes a `take` that is waiting, or else the next one, return at once with what is there.
    public func wake() {
        locked {
            wakePending = true
            monitor.broadcast(.somethingThere)
        }
    }

    /// Refuses elements from now on and lets all who wait return.
    public func close() {
        locked {
            closed = true
            monitor.broadcast(.somethingThere)
            monitor.broadcast(.roomThere)
        }
    }

    // MARK: With the lock held

    private var isFull: Bool { elements.count >= capacity || weight >= weightMax }

    private func take(in element: Element) -> Bool {
        guard !closed, !isFull else { return false }
        elements.append(element)
        weight += weigh(element)
        // More elements may need more than one taker, hence a signal for each; without a waiter
        // it costs a memory access.
        monitor.signal(.somethingThere)
        return true
    }

    private func takeOut(_ count: Int) -> [Element] {
        var taken: [Element] = []
        taken.reserveCapacity(count)
        while taken.count < count, let element = elements.removeFirst() {
            weight -= weigh(element)
            taken.append(element)
        }
        if count > 0 { monitor.broadcast(.roomThere) }
        return taken
    }

    /// When a wait ends; `nil` where there is none: to ask the system for a wait that is over
    /// before it begins takes fifty microseconds and more.
    private func deadline(after duration: Duration) -> timespec? {
        duration > .zero ? ThreadMonitor.deadline(after: duration) : nil
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        monitor.lock()
        defer { monitor.unlock() }
        return body()
    }
}
