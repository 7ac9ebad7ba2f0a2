import FathomCore
import FathomProtocol

/// What a runner has said of one job so far, and whether that is all it must say. Pure: lines go
/// in, an outcome comes out.
struct RunnerConversation {
    /// What was asked.
    enum Question {
        /// A segment of training, its epochs counted from 1.
        case train(epochs: ClosedRange<Int>, task: String)
        /// Layers of one checkpoint.
        ///
        /// - Parameters:
        ///   - names: What the layers are called where we know the network.
        ///   - trainingLoss: What walks are compared with instead of the loss the runner measured.
        case sal(layers: Range<Int>, names: [String]?, trainingLoss: Double?)
    }

    private let question: Question
    private(set) var metrics: [MetricRow] = []
    private(set) var rows: [Int: SALRow] = [:]
    private(set) var checkpoint: String?
    private(set) var share = 0.0

    /// What every epoch of a training is told of.
    private static let dueMetrics = [
        ("train", "loss"), ("train", "accuracy"), ("test", "loss"), ("test", "accuracy"),
    ]
    private static let metricsMax = 64

    init(_ question: Question) { self.question = question }

    /// Takes one line in; true when the job is done.
    mutating func take(_ reply: RunnerReply) throws(RunnerFault) -> Bool {
        switch reply {
        case .progress(let share):
            self.share = share
            return false
        case .error(let message): throw .reported(message)
        case .done:
            try checkComplete()
            return true
        case .metric(let epoch, let split, let name, let value):
            try take(epoch, split, name, value)
        case .artifact(let name, let path): try take(artifact: name, path)
        case .sal(let row): try take(row)
        case .hello: throw .unexpected(type: reply.type, expected: "the job's answer")
        }
        return false
    }

    private mutating func take(
        _ epoch: Int, _ split: String, _ name: String, _ value: Double?
    ) throws(RunnerFault) {
        guard case .train(let epochs, let task) = question else {
            throw .unexpected(type: "a metric", expected: "sal")
        }
        guard epochs.contains(epoch) else {
            throw .wrong(
                type: "metric", field: "epoch", value: "\(epoch)",
                right: "the job is of \(epochs.lowerBound) to \(epochs.upperBound)")
        }
        guard split == "train" || split == "test" else {
            throw .wrong(
                type: "metric", field: "split", value: split, right: "it is train or test")
        }
        let isKnown = metrics.contains { $0.epoch == epoch && $0.split == split && $0.name == name }
        guard !isKnown else { throw .twice("\(split) \(name) of epoch \(epoch)") }
        guard metrics.count < Self.metricsMax * epochs.count else {
            throw .wrong(
                type: "metric", field: "name", value: name,
                right: "an epoch has at most \(Self.metricsMax)")
        }
        let number = value.flatMap { $0.isFinite ? $0 : nil }
        metrics.append(
            MetricRow(
                epoch: epoch, task: task, split: split, name: name, value: number,
                flag: number == nil ? "diverged" : nil))
    }

    private mutating func take(artifact name: String, _ path: String) throws(RunnerFault) {
        guard case .train = question else {
            throw .unexpected(type: "an artifact", expected: "sal")
        }
        guard name == "checkpoint" else {
            throw .wrong(
                type: "artifact", field: "name", value: name, right: "a training makes checkpoint")
        }
        guard checkpoint == nil else { throw .twice("its checkpoint") }
        checkpoint = path
    }

    private mutating func take(_ reply: RunnerReply.SALReply) throws(RunnerFault) {
        guard case .sal(let layers, let names, let trainingLoss) = question else {
            throw .unexpected(type: "sal", expected: "metric")
        }
        guard layers.contains(reply.layerIndex) else {
            throw .wrong(
                type: "sal", field: "layerIndex", value: "\(reply.layerIndex)",
                right: "the job is of \(layers.lowerBound) to \(layers.upperBound - 1)")
        }
        guard rows[reply.layerIndex] == nil else { throw .twice("layer \(reply.layerIndex)") }
        if let names, names.indices.contains(reply.layerIndex),
            names[reply.layerIndex] != reply.layer
        {
            throw .wrong(
                type: "sal", field: "layer", value: reply.layer,
                right: "layer \(reply.layerIndex) of this network is \(names[reply.layerIndex])")
        }
        let origin = reply.originLoss.flatMap { $0.isFinite ? $0 : nil }
        let hasWalks = origin != nil && reply.weightNorm > 0
        let isDiverged = reply.down.diverged || reply.up.diverged
        rows[reply.layerIndex] = SALRow(
            layerIndex: reply.layerIndex,
            measurement: SALMeasurement(
                layer: reply.layer, weightCount: reply.weightCount, weightNorm: reply.weightNorm,
                originLoss: origin.map { trainingLoss ?? $0 } ?? 0,
                originAccuracy: origin == nil ? 0 : reply.originAccuracy,
                down: hasWalks ? reply.down : SALWalk(), up: hasWalks ? reply.up : SALWalk(),
                flag: origin == nil || isDiverged
                    ? "diverged" : hasWalks ? nil : "degenerate",
                forwardEquivalents: reply.forwardEquivalents))
    }

    private func checkComplete() throws(RunnerFault) {
        switch question {
        case .train(let epochs, _):
            for epoch in epochs {
                for (split, name) in Self.dueMetrics
                where !metrics.contains(where: {
                    $0.epoch == epoch && $0.split == split && $0.name == name
                }) {
                    throw .incomplete("\(split) \(name) of epoch \(epoch)")
                }
            }
            guard checkpoint != nil else { throw .incomplete("its checkpoint") }
        case .sal(let layers, _, _):
            if let missing = layers.first(where: { rows[$0] == nil }) {
                throw .incomplete("layer \(missing)")
            }
        }
    }

    /// The running training loss of an epoch; `nil` when it was no number.
    func trainingLoss(ofEpoch epoch: Int) -> Double? {
        metrics.first { $0.epoch == epoch && $0.split == "train" && $0.name == "loss" }?.value
    }
}
