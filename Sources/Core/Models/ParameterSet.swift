/// The numbers of a network: weights and running statistics, in registration order.
public final class ParameterSet {
    let specs: [ParameterSpec]
    let tensors: [Tensor]

    /// Zeros; every statistic and gain as it starts.
    init(network: Network) {
        specs = network.parameters
        tensors = specs.map { Tensor(zeros: $0.count) }
    }

    /// Starts as PyTorch does (convolution and linear: uniform in plus or minus one over the root
    /// of the fan-in, weight and bias alike); one derived stream a parameter.
    public convenience init(network: Network, random: RandomStream) {
        self.init(network: network)
        for (index, spec) in specs.enumerated() {
            var stream = random.derived(spec.name)
            switch spec.start {
            case .constant(let value):
                tensors[index].copy(from: Array(repeating: value, count: spec.count))
            case .uniform(let fanIn):
                let bound = 1 / Float(fanIn).squareRoot()
                tensors[index].copy(
                    from: (0..<spec.count).map { _ in stream.uniform(-bound, bound) })
            case .normal:
                tensors[index].copy(from: (0..<spec.count).map { _ in Float(stream.normal()) })
            }
        }
    }

    /// The numbers of one parameter, by its name.
    public subscript(name: String) -> [Float]? {
        get { index(of: name).map { tensors[$0].values } }
        set {
            guard let newValue, let index = index(of: name) else { return }
            tensors[index].copy(from: newValue)
        }
    }

    /// All of them, in registration order.
    public var named: [(name: String, shape: [Int], values: [Float])] {
        zip(specs, tensors).map { ($0.name, $0.shape, $1.values) }
    }

    func index(of name: String) -> Int? { specs.firstIndex { $0.name == name } }

    /// Whether every number is finite.
    public var isFinite: Bool { tensors.allSatisfy(Kernels.allFinite) }
}
