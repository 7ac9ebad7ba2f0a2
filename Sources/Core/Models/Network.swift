/// A network as a graph of layers: a description without numbers, the same for all who share it.
///
/// Node 0 is the image. Every node reads nodes before it, so that their order is an order of
/// computation.
public struct Network: Sendable {
    struct Node: Sendable {
        let layer: any Layer
        let inputs: [Int]
        /// Index of the layer's first parameter; its others follow.
        let firstParameter: Int
        /// The task whose head the node belongs to; `nil`: the backbone, or a head's very end.
        var task: String?
    }

    /// A weight that SAL measures, and the node it belongs to.
    public struct MeasuredLayer: Sendable, Hashable {
        /// As in PyTorch, without `.weight`.
        public let name: String
        public let weightCount: Int
        /// Output channels, each of which has a slice of the weights to itself.
        public let filterCount: Int
        /// The task whose head it belongs to; `nil`: it is of the backbone that all heads share.
        public let task: String?
        let parameter: Int
        let node: Int
    }

    /// Where a task's prediction comes out.
    public struct Head: Sendable, Hashable {
        public let task: String
        let node: Int
    }

    let nodes: [Node]
    let shapes: [SampleShape]
    let parameters: [ParameterSpec]
    public let heads: [Head]
    /// In registration order.
    public let measured: [MeasuredLayer]

    public var inputShape: SampleShape { shapes[0] }

    /// Positions in `measured` of the layers that all heads share.
    public var sharedLayers: [Int] { measured.indices.filter { measured[$0].task == nil } }

    /// Trained parameters, without running statistics.
    public var parameterCount: Int {
        parameters.filter(\.isTrained).reduce(0) { $0 + $1.count }
    }

    /// Multiply-adds of a forward pass on one image.
    public var multiplyAddsPerImage: Int { multiplyAdds.reduce(0, +) }

    /// Multiply-adds of each node on one image.
    var multiplyAdds: [Int] {
        nodes.map { node in node.layer.multiplyAdds(node.inputs.map { shapes[$0] }) }
    }

    /// Whether a node is of the backbone that all heads share.
    func isShared(_ node: Int) -> Bool { nodes[node].task == nil }

    /// The parameters and running statistics of the backbone that all heads share.
    var sharedParameters: Set<Int> {
        var shared: Set<Int> = []
        for (index, node) in nodes.enumerated() where isShared(index) {
            shared.formUnion(
                node.firstParameter..<node.firstParameter + node.layer.parameters.count)
        }
        return shared
    }

    /// The names of all parameters and running statistics, in registration order, with shapes.
    public var parameterNames: [(name: String, shape: [Int])] {
        parameters.map { ($0.name, $0.shape) }
    }
}

extension Network {
    /// The nodes to compute, in order, to know `wanted` when `known` are known. Contains 0 when
    /// the image is needed.
    func path(to wanted: [Int], from known: Set<Int>) -> [Int] {
        var needed = Set<Int>()
        var open = wanted.filter { !known.contains($0) }
        while let node = open.popLast() {
            guard needed.insert(node).inserted else { continue }
            open.append(contentsOf: nodes[node].inputs.filter { !known.contains($0) })
        }
        return needed.sorted()
    }

    /// The trained parameters of the given nodes, in registration order.
    func trainedParameters(of chosen: [Int]) -> [Int] {
        chosen.flatMap { node in
            let first = nodes[node].firstParameter
            return (first..<first + nodes[node].layer.parameters.count)
        }.filter { parameters[$0].isTrained }.sorted()
    }
}

/// Puts a network together, node after node, in registration order.
struct NetworkBuilder {
    private var nodes: [Network.Node]
    private var shapes: [SampleShape]
    private var parameters: [ParameterSpec] = []
    private var measured: [Network.MeasuredLayer] = []
    private var heads: [Network.Head] = []
    /// The task whose head is being built.
    private var task: String?

    /// The image.
    let image = 0

    init(input: SampleShape) {
        nodes = [Network.Node(layer: Source(), inputs: [], firstParameter: 0)]
        shapes = [input]
    }

    func shape(of node: Int) -> SampleShape { shapes[node] }

    func channels(of node: Int) -> Int { planes(shapes[node]).channels }

    /// Adds a layer and answers its node.
    mutating func add(_ layer: some Layer, _ inputs: Int...) -> Int {
        add(layer, inputs)
    }

    mutating func add(_ layer: some Layer, _ inputs: [Int]) -> Int {
        let node = nodes.count
        nodes.append(
            Network.Node(
                layer: layer, inputs: inputs, firstParameter: parameters.count, task: task))
        shapes.append(layer.outputShape(inputs.map { shapes[$0] }))
        for spec in layer.parameters {
            if spec.isMeasured {
                measured.append(
                    Network.MeasuredLayer(
                        name: String(spec.name.dropLast(".weight".count)), weightCount: spec.count,
                        filterCount: spec.shape[0], task: task, parameter: parameters.count,
                        node: node))
            }
            parameters.append(spec)
        }
        return node
    }

    mutating func head(_ task: String, _ node: Int) {
        heads.append(Network.Head(task: task, node: node))
    }

    /// Builds a task's head; `build` answers the node of the prediction.
    mutating func head(_ task: String, _ build: (inout NetworkBuilder) -> Int) {
        self.task = task
        head(task, build(&self))
        self.task = nil
    }

    func finished() -> Network {
        Network(
            nodes: nodes, shapes: shapes, parameters: parameters, heads: heads, measured: measured)
    }
}

/// Node 0: holds the image, computes nothing.
private struct Source: Layer {
    func outputShape(_ inputs: [SampleShape]) -> SampleShape {
        preconditionFailure("the source's shape is given")
    }
    func forward(_ call: LayerCall) {}
    func backward(_ call: LayerCall) {}
}

// The bricks that architectures are made of.
extension NetworkBuilder {
    mutating func convolution(
        _ name: String, _ input: Int, to output: Int, kernel: Int, stride: Int = 1,
        padding: Int = 0, groups: Int = 1, bias: Bool = false
    ) -> Int {
        add(
            Convolution(
                name: name, input: channels(of: input), output: output, kernel: kernel,
                stride: stride, padding: padding, groups: groups, hasBias: bias), input)
    }

    mutating func batchNorm(_ name: String, _ input: Int) -> Int {
        add(BatchNorm(name: name, channels: channels(of: input)), input)
    }

    mutating func relu(_ input: Int) -> Int { add(Activation(kind: .relu), input) }

    /// Linear over rows; planes are flattened first.
    mutating func linear(_ name: String, _ input: Int, to output: Int, bias: Bool = true) -> Int {
        var input = input
        if case .image = shapes[input] { input = add(Flatten(), input) }
        guard case .rows(_, let columns) = shapes[input] else { return input }
        return add(Linear(name: name, input: columns, output: output, hasBias: bias), input)
    }
}
