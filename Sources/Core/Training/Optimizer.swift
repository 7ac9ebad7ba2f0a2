import Foundation

/// Moves parameters along gradients, and remembers what its rule needs (momenta).
final class Optimizer {
    private let settings: TrainingSettings
    private let trained: [Int]
    /// First and second moments, by trained parameter; empty until first needed.
    private(set) var first: [Tensor] = []
    private(set) var second: [Tensor] = []
    /// Steps taken so far.
    private(set) var steps = 0

    /// - Parameter trained: Which parameters are moved; the others stay, without decay too.
    init(settings: TrainingSettings, parameters: ParameterSet, trained: [Int]) {
        self.settings = settings
        self.trained = trained
        let count = settings.optimizer == .adam || settings.optimizer == .adamw ? 2 : 1
        first = trained.map { Tensor(zeros: parameters.specs[$0].count) }
        if count == 2 { second = trained.map { Tensor(zeros: parameters.specs[$0].count) } }
    }

    /// One step at `rate`, from the gradients the executor holds.
    func step(_ executor: Executor, rate: Double) {
        steps += 1
        switch settings.optimizer {
        case .sgd, .sam: stepSGD(executor, rate: rate)
        case .adam, .adamw: stepAdam(executor, rate: rate)
        }
    }

    private func stepSGD(_ executor: Executor, rate: Double) {
        let step = Kernels.SGDStep(
            rate: Float(rate), momentum: Float(settings.momentum),
            decay: Float(settings.weightDecay), nesterov: settings.nesterov, isFirst: steps == 1)
        for (place, index) in trained.enumerated() {
            Kernels.sgd(
                executor.parameters.tensors[index], gradient: executor.parameterGradient(index),
                velocity: first[place], step)
        }
    }

    private func stepAdam(_ executor: Executor, rate: Double) {
        let isDecoupled = settings.optimizer == .adamw
        let step = Kernels.AdamStep(
            rate: Float(rate), beta1: 0.9, beta2: 0.999, stabilizer: 1e-8,
            correction1: Float(1 - pow(0.9, Double(steps))),
            correction2: Float(1 - pow(0.999, Double(steps))),
            decay: isDecoupled ? 0 : Float(settings.weightDecay),
            decoupledDecay: isDecoupled ? Float(settings.weightDecay) : 0)
        for (place, index) in trained.enumerated() {
            Kernels.adam(
                executor.parameters.tensors[index], gradient: executor.parameterGradient(index),
                first: first[place], second: second[place], step)
        }
    }

    // MARK: State, for checkpoints

    /// The state as named arrays, in the parameters' order.
    func state(_ parameters: ParameterSet) -> [(name: String, shape: [Int], values: [Float])] {
        let moments = [("first", first), ("second", second)]
        return moments.flatMap { name, tensors in
            zip(trained, tensors).map { index, tensor in
                let spec = parameters.specs[index]
                return ("optimizer.\(name).\(spec.name)", spec.shape, tensor.values)
            }
        }
    }

    /// Takes a state back; answers the name of what is missing or misfits.
    func restore(
        steps: Int, parameters: ParameterSet, _ lookup: (String) -> [Float]?
    ) -> String? {
        self.steps = steps
        for (name, tensors) in [("first", first), ("second", second)] {
            for (index, tensor) in zip(trained, tensors) {
                let key = "optimizer.\(name).\(parameters.specs[index].name)"
                guard let values = lookup(key), values.count == tensor.count else { return key }
                tensor.copy(from: values)
            }
        }
        return nil
    }
}

/// The learning rate at a step.
struct RateSchedule {
    let settings: TrainingSettings
    let stepsPerEpoch: Int

    /// The rate of step `step` (from 0 over the whole run).
    func rate(step: Int) -> Double {
        let epoch = step / stepsPerEpoch
        let warmup = settings.warmupEpochs * stepsPerEpoch
        if step < warmup { return settings.learningRate * Double(step + 1) / Double(warmup) }
        switch settings.schedule {
        case .constant:
            return settings.learningRate
        case .step:
            let passed = settings.milestones.filter { $0 <= epoch }.count
            return settings.learningRate * pow(settings.factor, Double(passed))
        case .cosine:
            let total = max(1, settings.epochs * stepsPerEpoch - warmup)
            let share = Double(step - warmup) / Double(total)
            return settings.learningRate * 0.5 * (1 + cos(Double.pi * share))
        }
    }
}
