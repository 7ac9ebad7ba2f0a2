/// The training fixtures: whole runs, step by step, from a given start.
enum GoldenTraining {
    struct Notes: Decodable {
        struct Tolerance: Decodable {
            let losses: Double
            let evalLoss: Double
            let end: Double
            enum CodingKeys: String, CodingKey {
                case losses, end
                case evalLoss = "eval_loss_at_end"
            }
        }
        struct Optimizer: Decodable {
            let kind: String
            let rate: Double
            let momentum: Double
            let weightDecay: Double
            let nesterov: Bool
        }
        struct Run: Decodable {
            let name: String
            let model: String
            let width: Int?
            let inputShape: [Int]
            let classes: Int
            let data: String
            let optimizer: Optimizer
            let batch: Int
            let epochs: Int
            let losses: [Double]
            let evalLoss: Double
            enum CodingKeys: String, CodingKey {
                case name, model, width, classes, data, optimizer, batch, epochs, losses
                case inputShape = "input_shape"
                case evalLoss = "eval_loss_at_end"
            }
        }
        let tolerance: Tolerance
        let runs: [Run]
    }

    static func run(_ folder: GoldenFolder, _ each: (GoldenCase) -> Void) throws {
        let notes = try folder.notes(Notes.self, "training")
        let tensors = try folder.tensors("training")
        for run in notes.runs {
            guard let optimizer = TrainingSettings.Optimizer(rawValue: run.optimizer.kind) else {
                each(GoldenCase(run.name, unsupported: "optimizer \(run.optimizer.kind)"))
                continue
            }
            do {
                each(try check(run, optimizer, tensors, notes.tolerance))
            } catch {
                each(GoldenCase(run.name, unreadable: "\(error)"))
            }
        }
    }

    private static func check(
        _ run: Notes.Run, _ optimizer: TrainingSettings.Optimizer, _ tensors: SafetensorsFile,
        _ tolerance: Notes.Tolerance
    ) throws -> GoldenCase {
        let network = try ModelRegistry.classifier(
            ModelSettings(name: run.model, width: run.width), channels: run.inputShape[0],
            height: run.inputShape[1], width: run.inputShape[2], classes: run.classes)
        let images = try GoldenImages.read(run.data, run.inputShape, run.classes, tensors)
        let settings = TrainingSettings(
            epochs: run.epochs, batch: run.batch, optimizer: optimizer,
            learningRate: run.optimizer.rate, momentum: run.optimizer.momentum,
            nesterov: run.optimizer.nesterov, weightDecay: run.optimizer.weightDecay)
        let trainer = Trainer(
            network: network, settings: settings, images: images, random: RandomStream(seed: 0))
        for name in network.parameterNames.map(\.name) {
            trainer.parameters[name] = tensors["\(run.name)/start/\(name)"]?.floats
        }
        return GoldenCase(run.name, checks(run, trainer, images, tensors, tolerance))
    }

    private static func checks(
        _ run: Notes.Run, _ trainer: Trainer, _ images: ImageSet, _ tensors: SafetensorsFile,
        _ tolerance: Notes.Tolerance
    ) -> [GoldenCase.Check] {
        var losses: [Double] = []
        trainer.executor.want(.training(trainer.executor.network))
        for _ in 0..<run.epochs {
            for start in stride(from: 0, to: images.count, by: run.batch) {
                let chosen = Array(start..<min(start + run.batch, images.count))
                losses.append(trainer.step(chosen[...]).mean)
            }
        }
        let worst = zip(losses, run.losses).map { GoldenMeasure.relative($0, $1, floor: 0) }.max()
        let end = Evaluator.evaluate(trainer.executor, on: images, batch: run.batch).mean
        var checks = [
            GoldenCase.Check(
                what: "losses",
                error: losses.count == run.losses.count ? worst ?? .infinity : .infinity,
                tolerance: tolerance.losses),
            GoldenCase.Check(
                what: "evaluation loss at the end",
                error: GoldenMeasure.relative(end, run.evalLoss, floor: 0),
                tolerance: tolerance.evalLoss),
        ]
        for (name, _, values) in trainer.parameters.named {
            checks.append(
                GoldenCase.Check(
                    what: "end of \(name)",
                    error: GoldenMeasure.worst(
                        values, tensors["\(run.name)/end/\(name)"]?.floats ?? []),
                    tolerance: tolerance.end))
        }
        return checks
    }
}

/// The SAL fixtures: every layer of trained networks, under both solvers.
enum GoldenSAL {
    struct Notes: Decodable {
        struct Layer: Decodable {
            let name: String
            let sal: Double
            let tolerance: Double
            let finiteOnly: Bool
            enum CodingKeys: String, CodingKey {
                case name, sal, tolerance
                case finiteOnly = "finite_only"
            }
        }
        struct Network: Decodable {
            let name: String
            let weights: String
            let model: String
            let width: Int?
            let inputShape: [Int]
            let classes: Int
            let data: String
            let batch: Int
            let solver: String
            let weightRadius: Double
            let rate: Double?
            let passes: Int?
            let steps: Int?
            let originLoss: Double
            let layers: [Layer]
            enum CodingKeys: String, CodingKey {
                case name, weights, model, width, classes, data, batch, solver, weightRadius
                case rate, passes, steps, layers
                case inputShape = "input_shape"
                case originLoss = "origin_loss"
            }
        }
        let networks: [Network]
    }

    /// As the fixture's `meaning` says.
    private static let originTolerance = 1e-4

    static func run(_ folder: GoldenFolder, _ each: (GoldenCase) -> Void) throws {
        let notes = try folder.notes(Notes.self, "sal")
        let tensors = try folder.tensors("sal")
        for network in notes.networks {
            guard let solver = SALSettings.Solver(rawValue: network.solver) else {
                each(GoldenCase(network.name, unsupported: "solver \(network.solver)"))
                continue
            }
            do {
                each(try check(network, solver, tensors))
            } catch {
                each(GoldenCase(network.name, unreadable: "\(error)"))
            }
        }
    }

    private static func check(
        _ one: Notes.Network, _ solver: SALSettings.Solver, _ tensors: SafetensorsFile
    ) throws -> GoldenCase {
        let network = try ModelRegistry.classifier(
            ModelSettings(name: one.model, width: one.width), channels: one.inputShape[0],
            height: one.inputShape[1], width: one.inputShape[2], classes: one.classes)
        let parameters = ParameterSet(network: network)
        for name in network.parameterNames.map(\.name) {
            parameters[name] = tensors["\(one.weights)/\(name)"]?.floats
        }
        let images = try GoldenImages.read(one.data, one.inputShape, one.classes, tensors)
        var settings = SALSettings(
            images: images.count, batch: one.batch, solver: solver, radius: one.weightRadius)
        settings.rate = one.rate ?? settings.rate
        settings.passes = one.passes ?? settings.passes
        settings.steps = one.steps ?? settings.steps
        let engine = SALEngine(
            network: network, parameters: parameters, images: images, settings: settings)
        let rows = engine.measure(layers: 0..<network.measured.count)
        var checks = [
            GoldenCase.Check(
                what: "origin loss", error: abs(engine.origin.mean - one.originLoss),
                tolerance: originTolerance),
            GoldenCase.Check(
                what: "layer names", error: rows.map(\.layer) == one.layers.map(\.name) ? 0 : 1,
                tolerance: 0.5),
        ]
        for (row, layer) in zip(rows, one.layers) {
            checks.append(
                GoldenCase.Check(
                    what: "sal of \(layer.name)",
                    error: layer.finiteOnly
                        ? (row.sal.isFinite ? 0 : .infinity)
                        : GoldenMeasure.relative(row.sal, layer.sal, floor: 1e-3),
                    tolerance: layer.tolerance))
        }
        return GoldenCase(one.name, checks)
    }
}

/// The images that runs and SAL fixtures share.
enum GoldenImages {
    static func read(
        _ data: String, _ inputShape: [Int], _ classes: Int, _ tensors: SafetensorsFile
    ) throws -> ImageSet {
        guard inputShape.count == 3, let pixels = tensors["\(data)/images"]?.bytes,
            let labels = tensors["\(data)/labels"]?.integers,
            pixels.count == labels.count * inputShape.reduce(1, *),
            labels.allSatisfy({ (0..<classes).contains($0) })
        else {
            throw GoldenVerification.Failure.unreadable(
                file: data, reason: "images or labels are missing or misfit")
        }
        return ImageSet(
            channels: inputShape[0], height: inputShape[1], width: inputShape[2],
            classCount: classes, pixels: pixels, labels: labels.map { Int32($0) },
            indices: Array(labels.indices))
    }
}
