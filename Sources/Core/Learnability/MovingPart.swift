/// The part of a network that changes when one layer's weights move, as far as an objective sees.
struct MovingPart {
    let layer: Network.MeasuredLayer
    /// The layer's node and all that depend on it and matter to the objective, in order; empty
    /// when no loss depends on the layer.
    let nodes: [Int]
    /// What they and the losses read from outside: constant during the walks.
    let entering: [Int]
    /// Which of the objective's terms change.
    let movesTerm: [Bool]
    let plan: BackwardPlan

    init(network: Network, layer: Network.MeasuredLayer, meter: ObjectiveMeter) {
        self.layer = layer
        let matters = Set(meter.nodes)
        var moves = Array(repeating: false, count: network.nodes.count)
        moves[layer.node] = matters.contains(layer.node)
        for node in network.nodes.indices.dropFirst(layer.node + 1) where matters.contains(node) {
            moves[node] = network.nodes[node].inputs.contains { moves[$0] }
        }
        nodes = moves.indices.filter { moves[$0] }
        let heads = meter.objective.heads.map { network.heads[$0].node }
        let read = Set(nodes.flatMap { network.nodes[$0].inputs } + heads)
        entering = read.filter { !moves[$0] }.sorted()
        movesTerm = heads.map { moves[$0] }
        plan = BackwardPlan(network, parameters: { $0 == layer.parameter })
    }
}
