/// Holds layers that are run together against the same ones run one after the other: no bit may
/// differ, neither in predictions nor in gradients.
public enum FusionCheck {
    /// A training step's gradients, an evaluation, and the gradient of each measured weight in
    /// evaluation mode, as SAL wants it.
    ///
    /// - Throws: `ModelRegistry.Failure` when the settings or size do not build.
    public static func check(
        _ settings: ModelSettings, channels: Int, height: Int, width: Int, classes: Int
    ) throws -> GoldenCase {
        let network = try ModelRegistry.classifier(
            settings, channels: channels, height: height, width: width, classes: classes)
        let bench = FusionBench(network: network, batch: 16)
        var checks = [bench.training()]
        for layer in network.measured.indices { checks.append(bench.measured(layer)) }
        return GoldenCase("fusion \(settings.name)", checks)
    }
}

private struct FusionBench {
    let network: Network
    let batch: Int
    private let images: [Float]
    private let slopes: [Float]
    private let nodes: [Int]

    init(network: Network, batch: Int) {
        self.network = network
        self.batch = batch
        nodes = Array(network.nodes.indices.dropFirst())
        images = FusionBench.normals(batch * network.inputShape.elements, "images")
        let head = network.heads[0].node
        slopes = FusionBench.normals(batch * network.shapes[head].elements, "slopes")
    }

    /// Predictions, running statistics and every trained parameter's gradient of one step.
    func training() -> GoldenCase.Check {
        let plan = BackwardPlan.training(network)
        let results = [false, true].map { fuses in
            let executor = executor()
            executor.want(plan)
            run(executor, mode: .training, fuses: fuses)
            var all = executor.prediction(0).values.values
            executor.headGradient(0).copy(from: slopes)
            executor.backward()
            for index in network.parameters.indices {
                all += executor.parameters.tensors[index].values
                guard network.parameters[index].isTrained else { continue }
                all += executor.parameterGradient(index).values
            }
            return all
        }
        return difference("training", results[0], results[1])
    }

    /// A measured weight's gradient in evaluation mode.
    func measured(_ index: Int) -> GoldenCase.Check {
        let layer = network.measured[index]
        let plan = BackwardPlan(network, parameters: { $0 == layer.parameter })
        let results = [false, true].map { fuses in
            let executor = executor()
            // Statistics that are not those a network begins with.
            run(executor, mode: .training, fuses: false)
            executor.want(plan)
            run(executor, mode: .evaluation, fuses: fuses)
            let prediction = executor.prediction(0).values.values
            executor.headGradient(0).copy(from: slopes)
            executor.backward()
            return prediction + executor.parameterGradient(layer.parameter).values
        }
        return difference(layer.name, results[0], results[1])
    }

    private func executor() -> Executor {
        let executor = Executor(
            network: network,
            parameters: ParameterSet(network: network, random: RandomStream(seed: 5)))
        executor.prepare(batch: batch)
        return executor
    }

    private func run(_ executor: Executor, mode: ExecutionMode, fuses: Bool) {
        executor.image.copy(from: images)
        if fuses {
            executor.forward(fusing: nodes, mode: mode)
        } else {
            executor.forward(nodes: nodes, mode: mode)
        }
    }

    private func difference(
        _ what: String, _ one: [Float], _ other: [Float]
    ) -> GoldenCase.Check {
        let differing = zip(one, other).count { $0.0 != $0.1 }
        let isFinite = one.allSatisfy(\.isFinite) && one.count == other.count
        return GoldenCase.Check(
            what: "\(what): numbers that differ",
            error: isFinite ? Double(differing) : .infinity, tolerance: 0.5)
    }

    private static func normals(_ count: Int, _ purpose: String) -> [Float] {
        var random = RandomStream(seed: 4).derived(purpose)
        return (0..<count).map { _ in Float(random.normal()) }
    }
}
