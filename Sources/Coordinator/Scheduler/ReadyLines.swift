/// Ready jobs in a line for each kind of worker they need, so that a worker finds its most urgent
/// job at the head of one of its lines, whatever waits in others.
struct ReadyLines: Sendable {
    private var lines: [ReadyHeap] = [ReadyHeap()]

    /// - Parameter count: How many lines there are; the first is the built-in engine's.
    init(count: Int) {
        lines = Array(repeating: ReadyHeap(), count: max(1, count))
    }

    var isEmpty: Bool { lines.allSatisfy(\.isEmpty) }
    var count: Int { lines.reduce(0) { $0 + $1.count } }

    mutating func push(_ item: ReadyHeap.Item, line: Int) { lines[line].push(item) }

    /// The most urgent of some lines.
    func first(of some: [Int]) -> ReadyHeap.Item? { best(of: some).flatMap { lines[$0].first } }

    mutating func pop(from some: [Int]) -> ReadyHeap.Item? {
        best(of: some).flatMap { lines[$0].pop() }
    }

    private func best(of some: [Int]) -> Int? {
        var best: Int?
        for line in some {
            guard let item = lines[line].first else { continue }
            if let other = best.flatMap({ lines[$0].first }), !item.precedes(other) { continue }
            best = line
        }
        return best
    }
}
