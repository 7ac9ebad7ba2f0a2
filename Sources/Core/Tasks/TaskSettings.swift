/// How the losses of several tasks are weighed against each other.
public enum TaskWeighting: String, Codable, Hashable, Sendable, CaseIterable {
    /// Each counts 1.
    case equal
    /// As AdaShare has it: normals 3, depth 2, edges and keypoints 7, others 1.
    case fixed
    /// Learned beside the network: `L / (2 exp s) + s / 2`, with a number `s` a task.
    case logVariance = "log-variance"
    /// Learned beside the network, as Mod-Squad has it: `L / (2 p²) + ln(1 + p²)`, a number `p` a
    /// task from 1.
    case modSquad = "mod-squad"
    /// Dynamic weight averaging: tasks whose loss falls slowly count more.
    case dwa
}

extension TaskWeighting {
    /// Whether weights change as training goes on.
    public var isLearned: Bool { self != .equal && self != .fixed }
}

/// By which loss a task is learned, where there is a choice. In texts it follows the task's name:
/// `cls.soft`.
public enum TaskLoss: String, Codable, Hashable, Sendable, CaseIterable {
    case usual
    /// The cross-entropy of how likely each class of an image is.
    case soft
    /// The mean square error of the same numbers, as Mod-Squad has it.
    case square = "mse"
    /// Pixels weigh as their classes do in the data set's own list.
    case prior
    /// The mean absolute difference of directions, predictions brought to length 1.
    case absolute = "l1"
}

extension TaskLoss {
    /// What a set must tell for it beside the task's targets; `nil`: nothing.
    fileprivate var need: String? {
        switch self {
        case .usual, .absolute: nil
        case .soft, .square: "to know how likely each class of an image is"
        case .prior: "weights of the pixels' classes"
        }
    }
}

extension TaskKind {
    /// Every loss it can be learned by, the usual one first.
    public var losses: [TaskLoss] {
        switch self {
        case .cls: [.usual, .soft, .square]
        case .sem: [.usual, .prior]
        case .normal: [.usual, .absolute]
        case .seg2d, .depth, .edge, .kp2d, .ae, .reshade, .curv: [.usual]
        }
    }

    /// What the task is called with each of its losses, such as `cls` and `cls.soft`.
    public var names: [String] { losses.map(name) }

    func name(_ loss: TaskLoss) -> String {
        loss == .usual ? rawValue : "\(rawValue).\(loss.rawValue)"
    }

    /// The task and the loss that a name stands for.
    public static func named(_ name: some StringProtocol) -> (kind: TaskKind, loss: TaskLoss)? {
        for kind in allCases {
            if let loss = kind.losses.first(where: { kind.name($0) == name }) {
                return (kind, loss)
            }
        }
        return nil
    }
}

/// What a cell learns, and which of its losses SAL is measured of.
///
/// Its text is what manifests' tasks become in jobs and tables: `depth`, `edge:released`,
/// `cls+depth`, `cls.soft+depth:dwa`, and, for one member of several tasks learned together,
/// `depth@cls+depth:dwa`, or `joint@...` and `balanced@...` for their sum.
public struct TaskSettings: Hashable, Sendable {
    /// Which loss is measured.
    public enum Measured: Hashable, Sendable {
        /// The only task's, or one member's.
        case task(TaskKind)
        /// The weighted sum that was trained.
        case joint
        /// The sum with each loss divided by what it was before training.
        case balanced
    }

    /// What is learned, in order.
    public let kinds: [TaskKind]
    /// By which loss each is learned.
    public let losses: [TaskLoss]
    public let weighting: TaskWeighting
    public let targets: TargetSource
    public let measured: Measured

    /// Tasks learned together; measured is the only one, or their sum.
    ///
    /// - Parameter losses: In the order of `kinds`; `nil`: the usual ones.
    public init(
        _ kinds: [TaskKind], losses: [TaskLoss]? = nil, weighting: TaskWeighting = .equal,
        targets: TargetSource = .clean
    ) {
        precondition(!kinds.isEmpty && Set(kinds).count == kinds.count, "\(kinds) are no tasks")
        let losses = losses ?? kinds.map { _ in .usual }
        precondition(
            losses.count == kinds.count && zip(kinds, losses).allSatisfy { $0.losses.contains($1) },
            "\(losses) are not the losses of \(kinds)")
        self.init(
            kinds: kinds, losses: losses, weighting: kinds.count == 1 ? .equal : weighting,
            targets: targets, measured: kinds.count == 1 ? .task(kinds[0]) : .joint)
    }

    private init(
        kinds: [TaskKind], losses: [TaskLoss], weighting: TaskWeighting, targets: TargetSource,
        measured: Measured
    ) {
        self.kinds = kinds
        self.losses = losses
        self.weighting = weighting
        self.targets = targets
        self.measured = measured
    }

    /// Whether several tasks share the network.
    public var isMulti: Bool { kinds.count > 1 }

    /// The same training, with another loss measured.
    public func measuring(_ measured: Measured) -> TaskSettings {
        TaskSettings(
            kinds: kinds, losses: losses, weighting: weighting, targets: targets,
            measured: measured)
    }

    /// Everything that is measured of several tasks learned together; itself for a lone one.
    public var measurements: [TaskSettings] {
        guard isMulti else { return [self] }
        return (kinds.map(Measured.task) + [.joint, .balanced]).map(measuring)
    }

    /// What training depends on: the text without what is measured.
    public var trainingText: String {
        let options = [
            isMulti && weighting != .equal ? weighting.rawValue : nil,
            targets == .released ? targets.rawValue : nil,
        ].compactMap { $0 }
        let names = zip(kinds, losses).map { $0.name($1) }
        return ([names.joined(separator: "+")] + options).joined(separator: ":")
    }

    /// The task of the metric rows that belong to what is measured.
    public var rowTask: String {
        guard isMulti else { return trainingText }
        switch measured {
        case .task(let kind): return kind.rawValue
        case .joint: return "joint"
        case .balanced: return "balanced"
        }
    }

    public var text: String { isMulti ? rowTask + "@" + trainingText : trainingText }

    /// Reads a text as `text` and `trainingText` write it.
    public init?(text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last,
            let training = TaskSettings(trainingText: last)
        else { return nil }
        guard parts.count == 2 else {
            self = training
            return
        }
        guard let found = training.measurements.first(where: { $0.rowTask == parts[0] }),
            training.isMulti
        else { return nil }
        self = found
    }

    private init?(trainingText: Substring) {
        var options = trainingText.split(separator: ":", omittingEmptySubsequences: false)
        guard !options.isEmpty else { return nil }
        let names = options.removeFirst().split(separator: "+", omittingEmptySubsequences: false)
        let tasks = names.compactMap { TaskKind.named($0) }
        let kinds = tasks.map(\.kind)
        guard kinds.count == names.count, Set(kinds).count == kinds.count else { return nil }
        var weighting = TaskWeighting.equal
        var targets = TargetSource.clean
        for option in options {
            if let read = TaskWeighting(rawValue: String(option)) {
                weighting = read
            } else if let read = TargetSource(rawValue: String(option)) {
                targets = read
            } else {
                return nil
            }
        }
        self.init(
            kinds, losses: tasks.map(\.loss), weighting: weighting, targets: targets)
        guard self.trainingText == trainingText else { return nil }
    }

    /// What the table shows of it; a sum of losses is told by itself.
    public var mainMetric: MetricDescription {
        guard case .task(let kind) = measured else {
            return MetricDescription("loss", isHigherBetter: false)
        }
        return kind.mainMetric
    }

    /// Whether what is measured can be held against a predictor that looks at nothing.
    public var hasChance: Bool {
        if case .task = measured { return true }
        return false
    }

    /// Each task's weight where weights do not change in training.
    public var baseWeights: [Double] {
        kinds.map { weighting == .fixed ? $0.fixedWeight : 1 }
    }

    /// Whether this is classification alone, of the images' own classes.
    public var isPlainClassification: Bool { kinds == [.cls] && losses == [.usual] }

    /// The losses that are not the usual ones, by their tasks.
    public var otherLosses: [TaskKind: TaskLoss] {
        Dictionary(uniqueKeysWithValues: zip(kinds, losses).filter { $0.1 != .usual })
    }

    /// Whether a target is cut at a constant of the data set.
    public var needsClips: Bool { kinds.contains(where: \.isClipped) }

    /// The versions of the tasks' code above the first, to be added to a job's revision.
    public var revision: Int { kinds.reduce(0) { $0 + $1.revision - 1 } }

    /// The heads on a network for these images, in the order of the tasks.
    public func heads(channels: Int, classes: Int, pixelClasses: Int = 8) -> [HeadSettings] {
        kinds.map { $0.head(channels: channels, classes: classes, pixelClasses: pixelClasses) }
    }

    /// The layers whose SAL is measured: all of a lone task's network, and of several what they
    /// share, so that their vectors can be compared.
    public func measuredLayers(of network: Network) -> [Network.MeasuredLayer] {
        isMulti ? network.sharedLayers.map { network.measured[$0] } : network.measured
    }

    /// Whether what is measured depends on weights that training learns.
    public var learnsWeights: Bool {
        guard isMulti, weighting.isLearned else { return false }
        if case .task = measured { return false }
        return true
    }

    /// Why the tasks cannot be learned from a data set; `nil`: they can.
    public func problem(with facts: DataFacts) -> String? {
        if targets == .released, let kind = kinds.first(where: { !$0.isDerivedFromPixels }) {
            return "targets: released is for tasks that pixels alone decide (edge, kp2d, seg2d, "
                + "ae), not for \(kind.rawValue)"
        }
        for (kind, loss) in zip(kinds, losses) {
            guard let need = loss.need, !facts.losses.contains(loss) else { continue }
            return "\(kind.name(loss)) needs \(need), which this set does not tell; learn "
                + "\(kind.rawValue)"
        }
        if targets == .clean,
            let kind = kinds.first(where: { $0.needsMaps && !facts.mapTasks.contains($0) })
        {
            return "task \(kind.rawValue) needs to know every pixel's surface, which this set does "
                + "not; it can be asked for "
                + TaskKind.allCases.filter { !$0.needsMaps || facts.mapTasks.contains($0) }
                .map(\.rawValue).joined(separator: ", ")
        }
        return nil
    }
}
