/// The operator fixtures: one layer at a time, outputs and all gradients.
enum GoldenLayers {
    struct Notes: Decodable {
        struct Tolerance: Decodable {
            let forward: Double
            let gradient: Double
        }
        let tolerance: Tolerance
        let cases: [Case]
    }

    struct Case: Decodable {
        let name: String
        let train: Bool
        let op: String
        let kernel: Int?
        let stride: Int?
        let padding: Int?
        let groups: Int?
        let bias: Bool?
        let eps: Double?
        let momentum: Double?
        let heads: Int?
        let ratio: Int?
        let stabilizer: Double?
        let ignoreIndex: Int?

        enum CodingKeys: String, CodingKey {
            case name, train, op, kernel, stride, padding, groups, bias, eps, momentum, heads
            case ratio, stabilizer
            case ignoreIndex = "ignore_index"
        }
    }

    static func run(_ folder: GoldenFolder, _ each: (GoldenCase) -> Void) throws {
        let notes = try folder.notes(Notes.self, "layers")
        let tensors = try folder.tensors("layers")
        for one in notes.cases {
            let numbers = GoldenLayerNumbers(name: one.name, tensors: tensors)
            if let loss = GoldenLosses.checks(one, numbers, notes.tolerance) {
                each(GoldenCase(one.name, loss))
            } else {
                each(check(one, numbers, notes.tolerance))
            }
        }
    }

    private static func check(
        _ one: Case, _ numbers: GoldenLayerNumbers, _ tolerance: Notes.Tolerance
    ) -> GoldenCase {
        guard let input = numbers.array("input0") else {
            return GoldenCase(one.name, unreadable: "input0 is missing")
        }
        guard let shape = numbers.sampleShape(input) else {
            return GoldenCase(one.name, unreadable: "input0 has shape \(input.shape)")
        }
        var builder = NetworkBuilder(input: shape)
        guard let node = add(one, numbers, to: &builder) else {
            return GoldenCase(one.name, unsupported: "operator \(one.op) is not there")
        }
        builder.head("out", node)
        return compare(one, numbers, builder.finished(), batch: input.shape[0], tolerance)
    }

    private static func compare(
        _ one: Case, _ numbers: GoldenLayerNumbers, _ network: Network, batch: Int,
        _ tolerance: Notes.Tolerance
    ) -> GoldenCase {
        let parameters = ParameterSet(network: network)
        for name in network.parameters.map(\.name) {
            parameters[name] = numbers.array("param/" + name.dropFirst(3))?.floats
        }
        let executor = Executor(network: network, parameters: parameters)
        executor.prepare(batch: batch)
        guard let input = numbers.laidOut("input0", network.inputShape),
            let output = numbers.laidOut("output", network.shapes[network.heads[0].node]),
            let gradient = numbers.laidOut("grad_output", network.shapes[network.heads[0].node]),
            let inputGradient = numbers.laidOut("grad_input0", network.inputShape)
        else { return GoldenCase(one.name, unreadable: "an array is missing or misfits") }
        executor.image.copy(from: input)
        executor.forward(mode: one.train ? .training : .evaluation)
        var checks = [
            GoldenCase.Check(
                what: "output",
                error: GoldenMeasure.worst(executor.prediction(0).values.values, output),
                tolerance: tolerance.forward)
        ]
        executor.want(
            BackwardPlan(
                network, parameters: { network.parameters[$0].isTrained }, image: true))
        executor.headGradient(0).copy(from: gradient)
        executor.backward()
        checks.append(
            GoldenCase.Check(
                what: "grad_input0",
                error: GoldenMeasure.worst(executor.imageGradient?.values ?? [], inputGradient),
                tolerance: tolerance.gradient))
        checks += parameterChecks(numbers, network, executor, tolerance)
        return GoldenCase(one.name, checks)
    }

    private static func parameterChecks(
        _ numbers: GoldenLayerNumbers, _ network: Network, _ executor: Executor,
        _ tolerance: Notes.Tolerance
    ) -> [GoldenCase.Check] {
        network.parameters.enumerated().map { index, spec in
            let name = String(spec.name.dropFirst(3))
            let expected = numbers.array((spec.isTrained ? "grad_param/" : "after/") + name)
            let ours =
                spec.isTrained
                ? executor.parameterGradient(index).values
                : executor.parameters.tensors[index].values
            return GoldenCase.Check(
                what: spec.isTrained ? "grad \(name)" : "after \(name)",
                error: GoldenMeasure.worst(ours, expected?.floats ?? []),
                tolerance: spec.isTrained ? tolerance.gradient : tolerance.forward)
        }
    }

    /// Adds the case's operator, parameters named `op.` and then as in the fixture.
    private static func add(
        _ one: Case, _ numbers: GoldenLayerNumbers, to builder: inout NetworkBuilder
    ) -> Int? {
        let image = builder.image
        switch one.op {
        case "conv2d": return convolution(one, numbers, &builder)
        case "conv_transpose2d":
            guard let shape = numbers.array("param/weight")?.shape, one.kernel == 2,
                one.stride == 2, one.bias == true
            else { return nil }
            return builder.add(
                TransposedConvolution(name: "op", input: shape[0], output: shape[1]), image)
        case "linear":
            guard let shape = numbers.array("param/weight")?.shape else { return nil }
            return builder.linear("op", image, to: shape[0], bias: one.bias == true)
        case "batchnorm2d":
            return builder.add(
                BatchNorm(
                    name: "op", channels: builder.channels(of: image),
                    stabilizer: Float(one.eps ?? 1e-5), momentum: Float(one.momentum ?? 0.1)),
                image)
        case "layernorm":
            guard let columns = numbers.array("param/weight")?.shape[0] else { return nil }
            return builder.add(
                LayerNorm(name: "op", columns: columns, stabilizer: Float(one.eps ?? 1e-5)), image)
        case "attention": return attention(one, &builder)
        case "squeeze_excite": return squeezeExcite(one, &builder)
        default: return unparameterised(one, &builder)
        }
    }

    private static func convolution(
        _ one: Case, _ numbers: GoldenLayerNumbers, _ builder: inout NetworkBuilder
    ) -> Int? {
        guard let kernel = one.kernel, let stride = one.stride, let padding = one.padding,
            let groups = one.groups, let output = numbers.array("param/weight")?.shape[0]
        else { return nil }
        return builder.convolution(
            "op", builder.image, to: output, kernel: kernel, stride: stride, padding: padding,
            groups: groups, bias: one.bias == true)
    }

    private static func attention(_ one: Case, _ builder: inout NetworkBuilder) -> Int? {
        guard case .rows(_, let dimension) = builder.shape(of: builder.image),
            let heads = one.heads
        else { return nil }
        var node = builder.linear("op.qkv", builder.image, to: 3 * dimension, bias: false)
        node = builder.add(Attention(dimension: dimension, heads: heads), node)
        return builder.linear("op.out", node, to: dimension)
    }

    private static func squeezeExcite(_ one: Case, _ builder: inout NetworkBuilder) -> Int? {
        guard let ratio = one.ratio else { return nil }
        let channels = builder.channels(of: builder.image)
        var gate = builder.add(GlobalAverage(), builder.image)
        gate = builder.add(
            Linear(
                name: "op.fc1", input: channels, output: channels / ratio,
                isPointwiseConvolution: true), gate)
        gate = builder.add(
            Linear(
                name: "op.fc2", input: channels / ratio, output: channels,
                isPointwiseConvolution: true), builder.relu(gate))
        gate = builder.add(Activation(kind: .sigmoid), gate)
        return builder.add(Gate(), builder.image, gate)
    }

    private static func unparameterised(_ one: Case, _ builder: inout NetworkBuilder) -> Int? {
        let activations: [String: ActivationKind] = [
            "relu": .relu, "relu6": .relu6, "gelu_erf": .gelu, "sigmoid": .sigmoid, "tanh": .tanh,
        ]
        let image = builder.image
        if let kind = activations[one.op] { return builder.add(Activation(kind: kind), image) }
        switch one.op {
        case "maxpool2x2": return builder.add(MaxPool(kernel: 2, stride: 2), image)
        case "maxpool3s2p1": return builder.add(MaxPool(kernel: 3, stride: 2, padding: 1), image)
        case "avgpool2x2": return builder.add(AveragePool(kernel: 2, stride: 2), image)
        case "global_avgpool": return builder.add(GlobalAverage(), image)
        case "upsample_nearest_x2": return builder.add(Upsample(kind: .nearest, factor: 2), image)
        case "upsample_bilinear_x2": return builder.add(Upsample(kind: .bilinear, factor: 2), image)
        case "softmax_channels": return builder.add(ChannelSoftmax(), image)
        default: return nil
        }
    }
}

/// The arrays of one operator case, in our layout.
struct GoldenLayerNumbers {
    let name: String
    let tensors: SafetensorsFile

    func array(_ part: String) -> StoredArray? { tensors["\(name)/\(part)"] }

    func sampleShape(_ array: StoredArray) -> SampleShape? {
        switch array.shape.count {
        case 4: .image(channels: array.shape[1], height: array.shape[2], width: array.shape[3])
        case 3: .rows(array.shape[1], columns: array.shape[2])
        case 2: .rows(1, columns: array.shape[1])
        default: nil
        }
    }

    /// The values as a batch of `shape` lies: planes channel-major.
    func laidOut(_ part: String, _ shape: SampleShape) -> [Float]? {
        guard let array = array(part), let values = array.floats, let images = array.shape.first,
            values.count == images * shape.elements
        else { return nil }
        guard case .image(let channels, let height, let width) = shape else { return values }
        return GoldenLayerNumbers.channelMajor(values, images, channels, height * width)
    }

    static func channelMajor(
        _ values: [Float], _ images: Int, _ channels: Int, _ plane: Int
    ) -> [Float] {
        var result = values
        for image in 0..<images {
            for channel in 0..<channels {
                let from = (image * channels + channel) * plane
                let to = (channel * images + image) * plane
                result.replaceSubrange(to..<to + plane, with: values[from..<from + plane])
            }
        }
        return result
    }
}
