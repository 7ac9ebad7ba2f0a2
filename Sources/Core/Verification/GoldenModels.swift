/// The architecture fixtures: whole networks with weights from a formula.
enum GoldenModels {
    struct Notes: Decodable { let models: [Model] }

    struct Model: Decodable {
        struct Parameter: Decodable {
            let name: String
            let shape: [Int]
            let kind: String
            let tag: UInt64
            let value: Double?
        }
        struct Tolerance: Decodable {
            let logits: Double
            let gradientNorm: Double
            let trainLoss: Double
            enum CodingKeys: String, CodingKey {
                case logits
                case gradientNorm = "gradient_norm"
                case trainLoss = "train_loss"
            }
        }
        struct Evaluation: Decodable {
            let logits: [[Double]]
            let loss: Double
            let gradientNorms: [String: Double]
            enum CodingKeys: String, CodingKey {
                case logits, loss
                case gradientNorms = "gradient_norms"
            }
        }
        struct Training: Decodable {
            let loss: Double
            let logits: [[Double]]
            let runningNorms: [String: Double]
            enum CodingKeys: String, CodingKey {
                case loss, logits
                case runningNorms = "running_norms"
            }
        }
        let name: String
        let model: String
        let width: Int?
        let input: [Int]
        let classes: Int
        let labels: [Int32]
        let parameterCount: Int
        let measuredLayers: [String]
        let parameters: [Parameter]
        let tolerance: Tolerance
        let eval: Evaluation
        let train: Training?

        enum CodingKeys: String, CodingKey {
            case name, model, width, input, classes, labels, parameters, tolerance, eval, train
            case parameterCount = "parameter_count"
            case measuredLayers = "measured_layers"
        }
    }

    static func run(_ folder: GoldenFolder, _ each: (GoldenCase) -> Void) throws {
        for model in try folder.notes(Notes.self, "models").models {
            each(check(model))
        }
    }

    private static func check(_ model: Model) -> GoldenCase {
        let settings = ModelSettings(
            name: model.model.replacing("_", with: "-"), width: model.width)
        guard ModelRegistry.entries.contains(where: { $0.name == settings.name }) else {
            return GoldenCase(model.name, unsupported: "model \(model.model) is not there")
        }
        do {
            let network = try ModelRegistry.classifier(
                settings, channels: model.input[0], height: model.input[1], width: model.input[2],
                classes: model.classes)
            return check(model, network)
        } catch {
            return GoldenCase(model.name, unreadable: "\(error)")
        }
    }

    private static func check(_ model: Model, _ network: Network) -> GoldenCase {
        let parameters = ParameterSet(network: network)
        for parameter in model.parameters {
            guard let index = parameters.index(of: parameter.name),
                parameters.specs[index].shape == parameter.shape
            else {
                return GoldenCase(model.name, unreadable: "\(parameter.name) is not ours")
            }
            parameters.tensors[index].copy(from: formula(parameter))
        }
        let executor = Executor(network: network, parameters: parameters)
        executor.prepare(batch: model.labels.count)
        var checks = [
            GoldenCase.Check(
                what: "parameter count",
                error: Double(abs(network.parameterCount - model.parameterCount)), tolerance: 0.5),
            GoldenCase.Check(
                what: "measured layers",
                error: network.measured.map(\.name) == model.measuredLayers ? 0 : 1,
                tolerance: 0.5),
        ]
        checks += evaluation(model, executor)
        if let train = model.train { checks += training(model, train, executor) }
        return GoldenCase(model.name, checks)
    }

    private static func evaluation(_ model: Model, _ executor: Executor) -> [GoldenCase.Check] {
        load(model, executor)
        executor.forward(mode: .evaluation)
        let logits = executor.prediction(0).values.values
        let sum = Evaluator.loss(executor, labels: model.labels, wantsGradient: false)
        let tolerance = model.tolerance
        let checks = [
            GoldenCase.Check(
                what: "logits",
                error: GoldenMeasure.worst(logits, model.eval.logits.joined().map { Float($0) }),
                tolerance: tolerance.logits),
            GoldenCase.Check(
                what: "loss",
                error: GoldenMeasure.relative(sum.mean, model.eval.loss, floor: 1),
                tolerance: tolerance.logits),
        ]
        return checks + gradients(model, executor)
    }

    /// Gradients on the images, or, where they fail, on images moved by a few units in the last
    /// place.
    ///
    /// Where the input of a ReLU is zero to rounding, the network has two right gradients, and the
    /// order of a sum decides between them: the fixture of SENet-18 has such a unit, which is on
    /// or off with the BLAS kernel. The tolerance is the same for all; a wrong gradient fails on
    /// every image.
    private static func gradients(_ model: Model, _ executor: Executor) -> [GoldenCase.Check] {
        let exact = gradients(model, executor, unitsMoved: 0)
        guard exact.contains(where: { !$0.passed }) else { return exact }
        for units in [1, -1, 2, -2, 3, -3, 4, -4] {
            let moved = gradients(model, executor, unitsMoved: units)
            if moved.allSatisfy(\.passed) { return moved }
        }
        return exact
    }

    private static func gradients(
        _ model: Model, _ executor: Executor, unitsMoved: Int
    ) -> [GoldenCase.Check] {
        load(model, executor, unitsMoved: unitsMoved)
        executor.forward(mode: .evaluation)
        executor.want(.training(executor.network))
        _ = Evaluator.loss(executor, labels: model.labels, wantsGradient: true)
        executor.backward()
        return model.eval.gradientNorms.sorted(by: { $0.key < $1.key }).map { name, norm in
            let ours = executor.parameters.index(of: name).map {
                Kernels.sumOfSquares(executor.parameterGradient($0)).squareRoot()
            }
            return GoldenCase.Check(
                what: "gradient norm of \(name)",
                error: GoldenMeasure.relative(ours ?? .nan, norm, floor: 1e-6),
                tolerance: model.tolerance.gradientNorm)
        }
    }

    private static func training(
        _ model: Model, _ train: Model.Training, _ executor: Executor
    ) -> [GoldenCase.Check] {
        load(model, executor)
        executor.forward(mode: .training)
        let logits = executor.prediction(0).values.values
        let sum = Evaluator.loss(executor, labels: model.labels, wantsGradient: false)
        var checks = [
            GoldenCase.Check(
                what: "training loss",
                error: GoldenMeasure.relative(sum.mean, train.loss, floor: 1),
                tolerance: model.tolerance.trainLoss),
            GoldenCase.Check(
                what: "training logits",
                error: GoldenMeasure.worst(logits, train.logits.joined().map { Float($0) }),
                tolerance: model.tolerance.logits),
        ]
        for (name, norm) in train.runningNorms.sorted(by: { $0.key < $1.key }) {
            let ours = executor.parameters[name].map { values in
                values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            }
            checks.append(
                GoldenCase.Check(
                    what: "norm of \(name)",
                    error: GoldenMeasure.relative(ours ?? .nan, norm, floor: 1),
                    tolerance: model.tolerance.trainLoss))
        }
        return checks
    }

    private static func load(_ model: Model, _ executor: Executor, unitsMoved: Int = 0) {
        let plane = model.input[1] * model.input[2]
        let count = model.labels.count * model.input[0] * plane
        let factor = 1 + Float(unitsMoved) * Float.ulpOfOne
        let values = (0..<count).map { factor * Float(uniform(tag: 999_983, UInt64($0))) }
        executor.image.copy(
            from: GoldenLayerNumbers.channelMajor(
                values, model.labels.count, model.input[0], plane))
    }

    /// The fixture's rule: a hash of tag and index, shaped by the parameter's kind.
    private static func formula(_ parameter: Model.Parameter) -> [Float] {
        let count = parameter.shape.reduce(1, *)
        let fanIn = Double(parameter.shape.dropFirst().reduce(1, *))
        // value = offset + slope * u
        let (offset, slope): (Double, Double) =
            switch parameter.kind {
            case "matrix": (-(6 / fanIn).squareRoot(), 2 * (6 / fanIn).squareRoot())
            case "embedding": (-1, 2)
            case "gain", "running_var": (0.5, 1)
            case "kept": (parameter.value ?? .nan, 0)
            default: (-0.1, 0.2)
            }
        return (0..<count).map { index in
            Float(offset + slope * uniform(tag: parameter.tag, UInt64(index)))
        }
    }

    private static func uniform(tag: UInt64, _ index: UInt64) -> Double {
        var z = (tag << 32) &+ index &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Double(z >> 40) * 0x1p-24
    }
}
