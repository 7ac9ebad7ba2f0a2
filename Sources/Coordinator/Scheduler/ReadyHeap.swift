/// Ready jobs, the one with the longest remaining path first and the lower index among equals.
struct ReadyHeap: Sendable {
    struct Item: Sendable {
        var pathSeconds: Double
        var job: Int

        func precedes(_ other: Item) -> Bool {
            pathSeconds != other.pathSeconds ? pathSeconds > other.pathSeconds : job < other.job
        }
    }

    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
    var first: Item? { items.first }
    var jobs: [Int] { items.map(\.job) }

    mutating func push(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].precedes(items[parent]) else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Item? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return top }
        items[0] = last
        var parent = 0
        while true {
            var best = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < items.count && items[child].precedes(items[best]) {
                best = child
            }
            guard best != parent else { return top }
            items.swapAt(parent, best)
            parent = best
        }
    }
}
