/// Holds analytic gradients against central differences, along random directions.
///
/// A direction moves one tensor at a time; what is compared is the slope of a scalar, the sum of
/// the output times fixed random numbers, in `Double`. Kinks of ReLU and pooling and float
/// rounding leave some noise, so the measure is |analytic - numeric| over the gradient's norm.
public enum GradientCheck {
    /// Slopes may differ by this share of the gradient's norm (a unit direction's largest slope).
    private static let tolerance = 1e-2

    /// Every operator at odd sizes.
    public static func operators() -> [GoldenCase] {
        OperatorZoo.all.map { name, network in
            check(name, network, batch: 3, mode: .training)
        }
    }

    /// A whole network with its initial weights, in both modes.
    ///
    /// A deep network crosses many kinks within any step that float rounding allows, so ReLUs are
    /// replaced by tanh and maxima by means here; the real ones are checked alone, and against
    /// PyTorch in the golden fixtures.
    ///
    /// - Throws: `ModelRegistry.Failure` when the settings or size do not build.
    public static func model(
        _ settings: ModelSettings, channels: Int, height: Int, width: Int, classes: Int
    ) throws -> [GoldenCase] {
        let head = HeadSettings(
            task: HeadSettings.classification, kind: .classifier(classes: classes))
        return try model(
            settings, heads: [head], channels: channels, height: height, width: width)
    }

    /// A whole network with several heads, all of which the scalar reads.
    ///
    /// - Throws: `ModelRegistry.Failure` when the settings, heads or size do not build.
    public static func model(
        _ settings: ModelSettings, heads: [HeadSettings], channels: Int, height: Int, width: Int
    ) throws -> [GoldenCase] {
        let network = try ModelRegistry.network(
            settings, heads: heads, channels: channels, height: height, width: width
        ).smoothed
        return [
            check("\(settings.name)/training", network, batch: 8, mode: .training),
            check("\(settings.name)/evaluation", network, batch: 8, mode: .evaluation),
        ]
    }

    private static func check(
        _ name: String, _ network: Network, batch: Int, mode: ExecutionMode
    ) -> GoldenCase {
        let bench = GradientBench(network: network, batch: batch, mode: mode)
        var checks = [
            GoldenCase.Check(
                what: "image", error: bench.error(of: bench.image, gradient: bench.imageGradient),
                tolerance: tolerance)
        ]
        for index in sampled(network) {
            let spec = network.parameters[index]
            checks.append(
                GoldenCase.Check(
                    what: spec.name,
                    error: bench.error(
                        of: bench.executor.parameters.tensors[index],
                        gradient: bench.parameterGradients[index]),
                    tolerance: tolerance))
        }
        return GoldenCase(name, checks)
    }

    /// Trained parameters, at most this many of them, spread evenly from first to last.
    private static func sampled(_ network: Network, most: Int = 16) -> [Int] {
        let trained = network.parameters.indices.filter { network.parameters[$0].isTrained }
        guard trained.count > most else { return trained }
        return (0..<most).map { trained[$0 * (trained.count - 1) / (most - 1)] }
    }
}

extension Network {
    /// The same wiring without kinks.
    fileprivate var smoothed: Network {
        let nodes = nodes.map { node in
            Node(
                layer: node.layer.withoutKinks, inputs: node.inputs,
                firstParameter: node.firstParameter)
        }
        return Network(
            nodes: nodes, shapes: shapes, parameters: parameters, heads: heads, measured: measured)
    }
}

extension Layer {
    fileprivate var withoutKinks: any Layer {
        if let activation = self as? Activation, activation.kind == .relu {
            return Activation(kind: .tanh)
        }
        if let pool = self as? MaxPool, pool.padding == 0 {
            return AveragePool(kernel: pool.kernel, stride: pool.stride)
        }
        return self
    }
}

/// A network on random images, with its analytic gradients worked out.
private struct GradientBench {
    let executor: Executor
    let image: Tensor
    let imageGradient: Tensor
    let parameterGradients: [Tensor]
    /// What the numbers of each head's prediction count.
    private let weights: [[Float]]
    private let mode: ExecutionMode
    private let random = RandomStream(seed: 20_250_908)

    init(network: Network, batch: Int, mode: ExecutionMode) {
        self.mode = mode
        let parameters = ParameterSet(network: network, random: random)
        executor = Executor(network: network, parameters: parameters)
        executor.prepare(batch: batch)
        image = Tensor(GradientBench.normals(executor.image.count, random.derived("image")))
        var weights: [[Float]] = []
        for head in network.heads.indices {
            weights.append(
                GradientBench.normals(
                    executor.prediction(head).values.count, random.derived("objective", head)))
        }
        self.weights = weights
        executor.want(
            BackwardPlan(network, parameters: { network.parameters[$0].isTrained }, image: true))
        executor.image.copy(from: image)
        executor.forward(mode: mode)
        for head in network.heads.indices {
            executor.headGradient(head).copy(from: weights[head])
        }
        executor.backward()
        imageGradient = Tensor(executor.imageGradient?.values ?? [])
        var gradients: [Tensor] = []
        for index in network.parameters.indices {
            gradients.append(Tensor(executor.parameterGradient(index).values))
        }
        parameterGradients = gradients
    }

    /// How far the slope along a random direction is from what the gradient says.
    func error(of tensor: Tensor, gradient: Tensor) -> Double {
        let norm = Kernels.sumOfSquares(gradient).squareRoot()
        let direction = unitDirection(tensor.count)
        let step = 4e-3 * max(1, Kernels.sumOfSquares(tensor).squareRoot() / 4)
        let start = Tensor(tensor.values)
        // Two step sizes together cancel the cubic term (Richardson).
        let wide = slope(tensor, from: start, direction, step: 2 * step)
        let narrow = slope(tensor, from: start, direction, step: step)
        tensor.copy(from: start)
        let numeric = (4 * narrow - wide) / 3
        let analytic = Kernels.dot(gradient, 0, direction, 0, count: gradient.count)
        // Rounding of the objective, some 1e-6 of it over the step, is not the gradient's fault.
        return abs(numeric - analytic) / (norm + 1e-1)
    }

    private func slope(_ tensor: Tensor, from start: Tensor, _ along: Tensor, step: Double)
        -> Double
    {
        let ends = [step, -step].map { distance in
            tensor.copy(from: start)
            Kernels.accumulate(Float(distance), along, onto: tensor)
            return objective()
        }
        return (ends[0] - ends[1]) / (2 * step)
    }

    private func objective() -> Double {
        executor.image.copy(from: image)
        executor.forward(mode: mode)
        var sum = 0.0
        for (head, factors) in weights.enumerated() {
            let output = executor.prediction(head).values.values
            sum = zip(output, factors).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
        }
        return sum
    }

    private func unitDirection(_ count: Int) -> Tensor {
        let direction = Tensor(GradientBench.normals(count, random.derived("direction", count)))
        let norm = Kernels.sumOfSquares(direction).squareRoot()
        Kernels.scale(direction, by: Float(1 / norm))
        return direction
    }

    private static func normals(_ count: Int, _ random: RandomStream) -> [Float] {
        var random = random
        return (0..<count).map { _ in Float(random.normal()) }
    }
}

/// Small networks of one operator each, at sizes that divide nothing.
private enum OperatorZoo {
    static var all: [(String, Network)] {
        convolutions + joins + shapes + rows
    }

    private static func network(
        _ input: SampleShape, _ build: (inout NetworkBuilder) -> Int
    ) -> Network {
        var builder = NetworkBuilder(input: input)
        let node = build(&builder)
        builder.head("out", node)
        return builder.finished()
    }

    private static let planes = SampleShape.image(channels: 6, height: 7, width: 5)
    private static let tokens = SampleShape.rows(5, columns: 12)

    private static var convolutions: [(String, Network)] {
        let settings = [
            (3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 0, 1), (1, 1, 0, 1), (1, 2, 0, 1), (3, 1, 1, 6),
            (3, 2, 1, 6), (3, 1, 1, 3), (2, 2, 1, 2),
        ]
        return settings.map { kernel, stride, padding, groups in
            (
                "convolution k\(kernel) s\(stride) p\(padding) g\(groups)",
                network(planes) {
                    $0.convolution(
                        "op", $0.image, to: 6, kernel: kernel, stride: stride, padding: padding,
                        groups: groups, bias: true)
                }
            )
        } + [
            (
                "transposed convolution",
                network(planes) {
                    $0.add(TransposedConvolution(name: "op", input: 6, output: 4), $0.image)
                }
            )
        ]
    }

    private static var joins: [(String, Network)] {
        [
            (
                "residual sum",
                network(planes) {
                    let branch = $0.convolution("op", $0.image, to: 6, kernel: 3, padding: 1)
                    return $0.relu($0.add(Sum(), branch, $0.image))
                }
            ),
            (
                "concatenation",
                network(planes) {
                    let branch = $0.convolution("op", $0.image, to: 3, kernel: 1)
                    return $0.batchNorm("bn", $0.add(Concatenation(), branch, $0.image))
                }
            ),
            (
                "squeeze and excitation",
                network(planes) {
                    let mean = $0.add(GlobalAverage(), $0.image)
                    let gate = $0.add(
                        Activation(kind: .sigmoid), $0.linear("op", mean, to: 6))
                    return $0.add(Gate(), $0.image, gate)
                }
            ),
        ]
    }

    private static var shapes: [(String, Network)] {
        let layers: [(String, any Layer)] = [
            ("batch norm", BatchNorm(name: "op", channels: 6)),
            ("max pool", MaxPool(kernel: 3, stride: 2, padding: 1)),
            ("average pool", AveragePool(kernel: 2, stride: 2)),
            ("global average", GlobalAverage()), ("flatten", Flatten()),
            ("block means", BlockMean(rows: 3, columns: 2)),
            ("nearest upsampling", Upsample(kind: .nearest, factor: 3)),
            ("bilinear upsampling", Upsample(kind: .bilinear, factor: 2)),
            ("cutting and extending", Fit(height: 6, width: 8)),
            ("channel softmax", ChannelSoftmax()), ("dropout", Dropout(rate: 0.3)),
            ("relu6", Activation(kind: .relu6)), ("gelu", Activation(kind: .gelu)),
            ("tanh", Activation(kind: .tanh)),
        ]
        return layers.map { name, layer in
            (name, network(planes) { builder in add(layer, to: &builder) })
        }
    }

    private static var rows: [(String, Network)] {
        [
            ("linear", network(tokens) { $0.linear("op", $0.image, to: 7) }),
            (
                "layer norm",
                network(tokens) { $0.add(LayerNorm(name: "op", columns: 12), $0.image) }
            ),
            (
                "attention",
                network(tokens) { $0.add(Attention(dimension: 4, heads: 2), $0.image) }
            ),
            (
                "attention with temperature",
                network(tokens) {
                    $0.add(Attention(temperature: "op.t", dimension: 4, heads: 2), $0.image)
                }
            ),
            (
                "class token",
                network(tokens) {
                    let token = $0.add(ClassToken(tokens: 5, dimension: 12), $0.image)
                    return $0.add(FirstToken(), $0.linear("op", token, to: 4))
                }
            ),
            (
                "shifted patches",
                network(.image(channels: 2, height: 8, width: 4)) {
                    $0.linear("op", $0.add(ShiftedPatches(side: 4), $0.image), to: 3)
                }
            ),
        ]
    }

    private static func add(_ layer: some Layer, to builder: inout NetworkBuilder) -> Int {
        builder.add(layer, builder.image)
    }
}
