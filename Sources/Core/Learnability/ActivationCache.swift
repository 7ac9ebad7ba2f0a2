/// Activations kept per batch, up to a bound.
struct ActivationCache {
    private var kept: [[Int: Tensor]]
    private let floatsMax: Int
    private var floats = 0

    init(batches: Int, bytes: Int) {
        kept = Array(repeating: [:], count: batches)
        floatsMax = bytes / MemoryLayout<Float>.stride
    }

    /// Whether one more batch of these sizes may be held beside the others.
    func mayHold(_ sizes: [Int]) -> Bool {
        floats + sizes.reduce(0, +) <= floatsMax
    }

    func holds(_ batch: Int, _ nodes: [Int]) -> Bool {
        nodes.allSatisfy { kept[batch][$0] != nil }
    }

    func nodes(_ batch: Int) -> Set<Int> { Set(kept[batch].keys) }

    func bind(_ batch: Int, to executor: Executor) {
        for (node, tensor) in kept[batch] { executor.bind(tensor, to: node) }
    }

    mutating func drop(_ batch: Int) {
        floats -= kept[batch].values.reduce(0) { $0 + $1.count }
        kept[batch] = [:]
    }

    /// Keeps copies of the executor's values at `nodes`, and nothing else, for `batch`.
    mutating func keep(_ batch: Int, _ nodes: [Int], of executor: Executor) {
        var next: [Int: Tensor] = [:]
        for node in nodes {
            if let tensor = kept[batch][node] {
                next[node] = tensor
            } else {
                let tensor = Tensor(zeros: executor.values[node].count)
                tensor.copy(from: executor.values[node])
                next[node] = tensor
            }
        }
        drop(batch)
        kept[batch] = next
        floats += next.values.reduce(0) { $0 + $1.count }
    }
}
