public import FathomCore
import Foundation
import Synchronization

/// Times training and SAL on random images, as slots would run them: one thread each, each with
/// its own network (training) or its own layers (SAL).
public struct ComputeBench: Sendable {
    private let network: Network
    private let images: ImageSet
    private let batch: Int

    /// - Throws: `ModelRegistry.Failure` for a model that does not build.
    public init(model: ModelSettings, images count: Int, batch: Int) throws {
        let isGray = ["lenet5", "linear", "mlp"].contains(model.name)
        let side = isGray ? 28 : 32
        let channels = isGray ? 1 : 3
        network = try ModelRegistry.classifier(
            model, channels: channels, height: side, width: side, classes: 10)
        var random = RandomStream(seed: 0)
        let pixels = (0..<count * channels * side * side).map { _ in
            UInt8(truncatingIfNeeded: random.nextBits() >> 32)
        }
        let labels = (0..<count).map { _ in Int32(random.integer(below: 10)) }
        images = ImageSet(
            channels: channels, height: side, width: side, classCount: 10, pixels: pixels,
            labels: labels, indices: Array(0..<count))
        self.batch = batch
    }

    /// Images trained on a second, over all threads, after one epoch that is not timed.
    ///
    /// - Throws: `DefenseError` for a defense that random images do not go with.
    public func imagesPerSecond(
        epochs: Int, threads: Int, defense: DefenseSettings = DefenseSettings()
    ) throws -> Double {
        let guarded = try DefenseRegistry.training(defense, on: images)
        let settings = TrainingSettings(epochs: epochs + 1, batch: batch, learningRate: 0.01)
        let rates = together(threads) { thread in
            let trainer = Trainer(
                network: network, settings: settings, images: images,
                random: RandomStream(seed: UInt64(thread)), defense: guarded)
            let order = Array(0..<images.count)
            _ = trainer.trainEpoch(order: order)
            let seconds = timed { for _ in 0..<epochs { _ = trainer.trainEpoch(order: order) } }
            return Double(images.count * epochs) / seconds
        }
        return rates.reduce(0, +)
    }

    /// Seconds for all layers, of which each thread takes the next that nobody has, as slots take
    /// shards; `nil` when a value is no number.
    public func secondsOfSAL(_ settings: SALSettings, threads: Int) -> Double? {
        let layersTaken = Mutex(0)
        let results = together(threads) { _ in
            let parameters = ParameterSet(network: network, random: RandomStream(seed: 0))
            let engine = SALEngine(
                network: network, parameters: parameters, images: images, settings: settings)
            var isFinite = true
            let seconds = timed {
                while true {
                    let layer = layersTaken.withLock { taken in
                        defer { taken += 1 }
                        return taken
                    }
                    guard layer < engine.layerCount else { break }
                    let row = engine.measure(layer: layer)
                    isFinite = isFinite && row.sal.isFinite && row.flag == nil
                }
            }
            return isFinite ? seconds : .nan
        }
        guard results.allSatisfy(\.isFinite) else { return nil }
        return results.max()
    }

    /// Runs `body` on threads of their own and answers what each came to.
    private func together(
        _ threads: Int, _ body: @Sendable (Int) -> Double
    ) -> [Double] {
        NumericClass.enterSlot()
        let results = Mutex([Double](repeating: .nan, count: threads))
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let result = body(thread)
            results.withLock { $0[thread] = result }
        }
        return results.withLock { $0 }
    }

    private func timed(_ body: () -> Void) -> Double {
        let duration = ContinuousClock().measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
