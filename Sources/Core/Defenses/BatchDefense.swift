/// A defense that acts on every batch of training.
protocol BatchDefense: Defense {
    /// - Parameter settings: Complete.
    func guarding(_ settings: DefenseSettings) -> any BatchGuard
}

/// A defense that acts on every batch, ready for a trainer.
public struct TrainingDefense: Sendable {
    let defense: any BatchDefense
    let settings: DefenseSettings

    /// A guard of one trainer's own.
    func guarding(_ objective: Objective) -> any BatchGuard {
        precondition(
            !defense.needsClassTarget || objective.takesClassesOnly,
            "\(defense.name) is for targets that are classes of whole images")
        return defense.guarding(settings)
    }
}

/// What a defense does to every batch. Belongs to one trainer and keeps its memory from batch to
/// batch; what it does depends on the batch alone, so that training may be resumed at any epoch.
protocol BatchGuard: AnyObject {
    /// Whether it crops and flips images itself, so that they have to be loaded as they are.
    var placesImages: Bool { get }
    /// What was drawn and not taken, of the last batch; empty but for defenses that choose.
    var drawLosses: [[Double]] { get }

    /// Changes the batch's images, and whose labels its items carry.
    func apply(to batch: TrainingBatch, items: inout [BatchItem])
}

extension BatchGuard {
    var placesImages: Bool { false }
    var drawLosses: [[Double]] { [] }
}

/// A batch that is loaded and about to be trained on.
struct TrainingBatch {
    let executor: Executor
    let meter: ObjectiveMeter
    let shape: ImageShape
    /// The gradients that training wants, for defenses that want others meanwhile.
    let plan: BackwardPlan
    let augment: [TrainingSettings.Augmentation]
    /// Epochs finished before this one.
    let epoch: Int
    /// Optimizer steps taken before this one.
    let step: Int
    /// The defense's own stream.
    let random: RandomStream

    var count: Int { executor.batch }

    /// For what is drawn once a batch.
    var ownRandom: RandomStream { random.derived("step", step) }

    /// For what is drawn for one image in one epoch; its place in a batch does not matter.
    func random(of item: BatchItem) -> RandomStream {
        random.derived("epoch", epoch).derived("image", item.image)
    }
}

/// A copy of a batch's images, in memory that grows to the largest batch met.
struct BatchCopy {
    private(set) var images = Tensor(zeros: 0)

    mutating func take(_ batch: Tensor) {
        if images.storage.capacity < batch.count { images = Tensor(zeros: batch.count) }
        images = images.prefixOfStorage(batch.count)
        images.copy(from: batch)
    }
}

/// Who is mixed with whom, in memory of its own.
struct Partners {
    private var order: [Int] = []

    /// A random permutation of a batch.
    mutating func draw(_ count: Int, random: RandomStream) {
        var random = random
        order.removeAll(keepingCapacity: true)
        for place in 0..<count { order.append(place) }
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, random.integer(below: last + 1))
        }
    }

    subscript(place: Int) -> Int { order[place] }
}
