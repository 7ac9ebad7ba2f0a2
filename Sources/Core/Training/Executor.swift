/// Runs a network on batches: owns the activations, the gradients and the working memory of one
/// thread. Memory is taken when a batch size is first met, never per step.
public final class Executor {
    public let network: Network
    public let parameters: ParameterSet
    /// Images in the batch at hand.
    public private(set) var batch = 0
    var mode = ExecutionMode.evaluation
    /// Nodes that run in evaluation mode whatever the others do, by node; empty: none.
    var frozen: [Bool] = []
    /// Where layers that draw (dropout) derive their streams from; the trainer sets it each step.
    var stepRandom = RandomStream(seed: 0)

    // What layers reach through their calls.
    let shapes: [SampleShape]
    let inputs: [[Int]]
    let firstParameter: [Int]
    private(set) var values: [Tensor]
    private(set) var saved: [Tensor]
    private(set) var scratch = Tensor(zeros: 1)
    private(set) var outgoing: [Tensor?] = []

    private let layers: [any Layer]
    private let inputShapes: [[SampleShape]]
    private let owned: [TensorOwner]
    private var gradients: [Tensor?]
    private var parameterGradients: [Tensor?]
    private var pool = GradientPool()
    private var plan = BackwardPlan()
    /// The programs last used, and the one whose values are at hand; `nil`: none was.
    private var programs: [(nodes: [Int], kept: [Int], mode: ExecutionMode, FusedProgram)] = []
    private var running: FusedProgram?

    public init(network: Network, parameters: ParameterSet) {
        self.network = network
        self.parameters = parameters
        shapes = network.shapes
        inputs = network.nodes.map(\.inputs)
        firstParameter = network.nodes.map(\.firstParameter)
        layers = network.nodes.map(\.layer)
        inputShapes = network.nodes.map { node in node.inputs.map { network.shapes[$0] } }
        owned = network.nodes.map { _ in TensorOwner() }
        values = network.nodes.map { _ in Tensor(zeros: 0) }
        saved = values
        gradients = Array(repeating: nil, count: network.nodes.count)
        parameterGradients = Array(repeating: nil, count: network.parameters.count)
    }

    /// Makes room for a batch of `count` images; their numbers mean nothing until written.
    public func prepare(batch count: Int) {
        precondition(count > 0, "a batch has at least one image")
        batch = count
        var scratchCount = 1
        for node in layers.indices {
            values[node] = owned[node].value(count * shapes[node].elements)
            guard node > 0 else { continue }
            let layer = layers[node]
            saved[node] = owned[node].saved(layer.savedCount(inputShapes[node], batch: count))
            scratchCount = max(
                scratchCount, layer.scratchCount(inputShapes[node], batch: count))
        }
        if scratch.storage.capacity < scratchCount { scratch = Tensor(zeros: scratchCount) }
        scratch = scratch.prefixOfStorage(scratchCount)
    }

    /// The batch's images, to be written before `forward`.
    public var image: Tensor { values[0] }

    /// Replaces a node's value by memory from elsewhere, such as a cached activation.
    func bind(_ tensor: Tensor, to node: Int) {
        precondition(
            tensor.count == batch * shapes[node].elements,
            "\(tensor.count) floats are no batch of \(batch) times \(shapes[node])")
        values[node] = tensor
    }

    /// Computes every node.
    public func forward(mode: ExecutionMode) {
        self.mode = mode
        running = nil
        for node in 1..<layers.count { run(node) }
    }

    /// Computes the given nodes, in the order given.
    func forward(nodes: [Int], mode: ExecutionMode = .evaluation) {
        self.mode = mode
        running = nil
        for node in nodes { run(node) }
    }

    /// The same with layers run together where that saves work: the values between them mean
    /// nothing afterwards, save those of `kept` and the heads. A backward pass may follow; after
    /// one in evaluation mode only the gradients of weights before a batch norm can be asked for, not
    /// its own parameters'.
    func forward(fusing nodes: [Int], keeping kept: [Int] = [], mode: ExecutionMode = .evaluation) {
        // Frozen layers have another mode than their neighbours.
        guard frozen.isEmpty else { return forward(nodes: nodes, mode: mode) }
        self.mode = mode
        let program = program(nodes, keeping: kept)
        running = program
        for step in program.steps {
            switch step {
            case .node(let node): run(node)
            case .group(let group): run(group)
            }
        }
    }

    /// Training and SAL go on with one list of nodes for long.
    private func program(_ nodes: [Int], keeping kept: [Int]) -> FusedProgram {
        for (ownNodes, ownKept, ownMode, program) in programs
        where ownMode == mode && ownNodes == nodes && ownKept == kept {
            return program
        }
        let program = FusedProgram(network, nodes: nodes, keeping: kept, mode: mode)
        let programsMax = 8
        if programs.count == programsMax { programs.removeFirst() }
        programs.append((nodes, kept, mode, program))
        return program
    }

    private func run(_ group: FusedGroup) {
        let residual = group.residual.map { values[$0] }
        if let (node, layer) = group.convolution {
            var finish = Kernels.Finish()
            if let (node, norm) = group.norm {
                finish = norm.folded(LayerCall(executor: self, node: node))
            }
            finish.residual = residual
            finish.rectifies = group.rectifies
            layer.forward(
                LayerCall(executor: self, node: node), finish: finish, into: values[group.last])
        } else if let (node, norm) = group.norm {
            norm.forwardTraining(
                LayerCall(executor: self, node: node), residual: residual,
                rectifies: group.rectifies, into: values[group.last])
        }
    }

    private func run(_ node: Int) {
        guard !frozen.isEmpty, frozen[node] else {
            layers[node].forward(LayerCall(executor: self, node: node))
            return
        }
        let usual = mode
        mode = .evaluation
        layers[node].forward(LayerCall(executor: self, node: node))
        mode = usual
    }

    /// The prediction of a head, and its shape.
    public func prediction(_ head: Int) -> (values: Tensor, shape: SampleShape) {
        let node = network.heads[head].node
        return (values[node], shapes[node])
    }

    // MARK: Gradients

    /// Which gradients `backward` works out from now on.
    func want(_ plan: BackwardPlan) { self.plan = plan }

    /// Where the gradient of a head's prediction is to be written before `backward`.
    func headGradient(_ head: Int) -> Tensor {
        let node = network.heads[head].node
        if let gradient = gradients[node] { return gradient }
        let gradient = pool.take(values[node].count)
        gradients[node] = gradient
        return gradient
    }

    /// Works out the wanted gradients from those of the heads, which it uses up.
    func backward() {
        for node in stride(from: layers.count - 1, to: 0, by: -1) {
            guard gradients[node] != nil else { continue }
            if let group = running?.groups[node] {
                backward(through: group)
            } else if plan.visits[node] {
                backward(through: node)
            }
            release(node)
        }
    }

    private func backward(through node: Int) {
        outgoing.removeAll(keepingCapacity: true)
        for input in inputs[node] {
            let isWanted = plan.wantsGradient[input]
            outgoing.append(isWanted ? pool.take(values[input].count) : nil)
        }
        layers[node].backward(LayerCall(executor: self, node: node))
        for (index, input) in inputs[node].enumerated() {
            guard let gradient = outgoing[index] else { continue }
            add(gradient, to: input)
        }
    }

    /// Passes a gradient on, or gives its memory back when it could be added.
    private func add(_ gradient: Tensor, to node: Int) {
        if let sum = gradients[node] {
            Kernels.accumulate(gradient, onto: sum)
            pool.give(gradient)
        } else {
            gradients[node] = gradient
        }
    }

    private func backward(through group: FusedGroup) {
        guard let gradient = gradients[group.last] else { return }
        let rectified = group.rectifies ? values[group.last] : nil
        let wantsResidual = group.residual.map { plan.wantsGradient[$0] } ?? false
        if let (convolution, layer) = group.convolution {
            // In place; what goes to the residual needs memory of its own.
            gradients[group.last] = nil
            let visits = plan.visits[convolution]
            let passed = wantsResidual && visits ? pool.take(gradient.count) : nil
            let slope = group.norm.map {
                $0.layer.saved(LayerCall(executor: self, node: $0.node)).slope
            }
            Kernels.finishGradient(
                rectified: rectified, gradient, slope: visits ? slope : nil,
                channels: layer.output, into: gradient, passed: passed)
            if let residual = group.residual, let passed {
                add(passed, to: residual)
            } else if let residual = group.residual, wantsResidual {
                add(gradient, to: residual)
            }
            if visits {
                add(gradient, to: convolution)
            } else if !wantsResidual {
                pool.give(gradient)
            }
        } else if let (node, norm) = group.norm {
            let input = inputs[node][0]
            let result = plan.wantsGradient[input] ? pool.take(values[input].count) : nil
            norm.backward(
                LayerCall(executor: self, node: node), gradient, rectified: rectified,
                into: result, passed: wantsResidual ? gradient : nil)
            if let residual = group.residual, wantsResidual {
                gradients[group.last] = nil
                add(gradient, to: residual)
            }
            if let result { add(result, to: input) }
        }
    }

    private func release(_ node: Int) {
        if let gradient = gradients[node] { pool.give(gradient) }
        gradients[node] = nil
    }

    func incomingGradient(of node: Int) -> Tensor {
        guard let gradient = gradients[node] else {
            preconditionFailure("node \(node) has no gradient")
        }
        return gradient
    }

    func gradientOfParameter(_ index: Int) -> Tensor? {
        guard plan.parameters[index] else { return nil }
        return parameterGradient(index)
    }

    /// The gradient of a parameter as the last `backward` that wanted it left it.
    func parameterGradient(_ index: Int) -> Tensor {
        if let gradient = parameterGradients[index] { return gradient }
        let gradient = Tensor(zeros: parameters.specs[index].count)
        parameterGradients[index] = gradient
        return gradient
    }

    /// The gradient of the images, after a `backward` that wanted it. Give it back by
    /// `endInputGradient`.
    var imageGradient: Tensor? { gradients[0] }
    func endInputGradient() { release(0) }
}

/// Which nodes a backward pass visits, and which gradients it works out.
struct BackwardPlan {
    /// Whether the node's `backward` runs.
    private(set) var visits: [Bool] = []
    /// Whether the gradient of the node's value is needed.
    private(set) var wantsGradient: [Bool] = []
    private(set) var parameters: [Bool] = []

    init() {}

    /// No gradient is worked out that none of the wanted ones needs.
    init(_ network: Network, parameters wanted: (Int) -> Bool, image: Bool = false) {
        parameters = network.parameters.indices.map(wanted)
        visits = [false]
        wantsGradient = [image]
        for node in network.nodes.dropFirst() {
            let own = node.firstParameter..<node.firstParameter + node.layer.parameters.count
            let visited =
                own.contains { parameters[$0] } || node.inputs.contains { wantsGradient[$0] }
            visits.append(visited)
            wantsGradient.append(visited)
        }
    }

    /// All trained parameters.
    static func training(_ network: Network) -> BackwardPlan {
        BackwardPlan(network, parameters: { network.parameters[$0].isTrained })
    }

    /// The given parameters.
    static func training(_ network: Network, _ trained: [Int]) -> BackwardPlan {
        let trained = Set(trained)
        return BackwardPlan(network, parameters: { trained.contains($0) })
    }
}

/// Memory of one node, growing to the largest batch met.
private final class TensorOwner {
    private var valueStorage = TensorStorage(capacity: 0)
    private var savedStorage = TensorStorage(capacity: 0)

    func value(_ count: Int) -> Tensor {
        if valueStorage.capacity < count { valueStorage = TensorStorage(capacity: count) }
        return Tensor(storage: valueStorage, count: count)
    }

    func saved(_ count: Int) -> Tensor {
        if savedStorage.capacity < count { savedStorage = TensorStorage(capacity: count) }
        return Tensor(storage: savedStorage, count: count)
    }
}

/// Lends gradient buffers and takes them back; the same steps take the same buffers, so that
/// nothing is allocated once every size was met.
private struct GradientPool {
    private var free: [TensorStorage] = []

    mutating func take(_ count: Int) -> Tensor {
        var best: Int?
        for (index, storage) in free.enumerated() where storage.capacity >= count {
            if let chosen = best, free[chosen].capacity <= storage.capacity { continue }
            best = index
        }
        if let best, free[best].capacity <= max(1024, 2 * count) {
            return Tensor(storage: free.remove(at: best), count: count)
        }
        return Tensor(storage: TensorStorage(capacity: max(count, 1)), count: count)
    }

    mutating func give(_ tensor: Tensor) {
        free.append(tensor.storage)
    }
}
