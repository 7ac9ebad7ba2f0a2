/// Layers run together, so that what stands between them is never written down: a convolution or a
/// batch norm, and what follows it as far as nobody else reads it. The numbers are the same, bit
/// for bit, as those of one layer after the other.
///
/// In evaluation mode a group is convolution, batch norm, sum, ReLU, each of which may be missing
/// but the first; in training mode batch norm, sum, ReLU.
struct FusedGroup: Sendable {
    /// The convolution; `nil` in training mode, where statistics must be known first.
    var convolution: (node: Int, layer: Convolution)?
    var norm: (node: Int, layer: BatchNorm)?
    /// The other value that a sum adds.
    var residual: Int?
    var rectifies = false
    /// The node whose value comes out.
    var last: Int
}

/// What is run for a list of nodes, in order.
struct FusedProgram: Sendable {
    enum Step: Sendable {
        case node(Int)
        case group(FusedGroup)
    }

    private(set) var steps: [Step] = []
    /// By the node that comes out of it.
    private(set) var groups: [Int: FusedGroup] = [:]

    /// - Parameters:
    ///   - nodes: What is to be computed, in order.
    ///   - kept: Nodes whose values are read from outside; heads need not be named.
    init(_ network: Network, nodes: [Int], keeping kept: [Int], mode: ExecutionMode) {
        let finder = GroupFinder(network: network, nodes: nodes, kept: kept, mode: mode)
        var inside = Set<Int>()
        for node in nodes where !inside.contains(node) {
            guard let (group, members) = finder.group(from: node, taken: inside) else { continue }
            groups[group.last] = group
            inside.formUnion(members)
        }
        for node in nodes {
            if let group = groups[node] {
                steps.append(.group(group))
            } else if !inside.contains(node) {
                steps.append(.node(node))
            }
        }
    }
}

/// Follows what comes after a layer as long as it has one reader, who is run too.
private struct GroupFinder {
    private let network: Network
    private let mode: ExecutionMode
    private let run: Set<Int>
    /// Who reads each node; the outside is nobody's index.
    private var readers: [[Int]]

    init(network: Network, nodes: [Int], kept: [Int], mode: ExecutionMode) {
        self.network = network
        self.mode = mode
        run = Set(nodes)
        readers = Array(repeating: [], count: network.nodes.count)
        for (index, node) in network.nodes.enumerated() {
            for input in node.inputs { readers[input].append(index) }
        }
        for node in kept + network.heads.map(\.node) { readers[node].append(-1) }
    }

    /// The group that begins with a node, and its nodes; `nil` when there is nothing to fuse.
    func group(from node: Int, taken: Set<Int>) -> (FusedGroup, [Int])? {
        var group = FusedGroup(last: node)
        var members = [node]
        func next() -> Int? {
            guard readers[group.last].count == 1, let reader = readers[group.last].first,
                reader >= 0, run.contains(reader), !taken.contains(reader)
            else { return nil }
            return reader
        }
        func take(_ node: Int) {
            group.last = node
            members.append(node)
        }
        switch (network.nodes[node].layer, mode) {
        case (let layer as Convolution, .evaluation):
            group.convolution = (node, layer)
            if !layer.hasBias, let reader = next(),
                let norm = network.nodes[reader].layer as? BatchNorm
            {
                group.norm = (reader, norm)
                take(reader)
            }
        case (let layer as BatchNorm, .training):
            group.norm = (node, layer)
        default:
            return nil
        }
        if let reader = next(), network.nodes[reader].layer is Sum,
            let other = network.nodes[reader].inputs.first(where: { $0 != group.last })
        {
            group.residual = other
            take(reader)
        }
        if let reader = next(), let layer = network.nodes[reader].layer as? Activation,
            layer.kind == .relu
        {
            group.rectifies = true
            take(reader)
        }
        return members.count > 1 ? (group, members) : nil
    }
}
