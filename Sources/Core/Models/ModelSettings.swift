/// Which network to build: its architecture's name and, where it has one, its base width.
public struct ModelSettings: Codable, Hashable, Sendable {
    /// One of `ModelSettings.names`, or what a runner calls its own.
    public var name: String
    /// The base number of channels; `nil` stands for the architecture's own.
    public var width: Int?
    /// Who computes its jobs; `nil`: the built-in engine.
    public var runner: RunnerReference?

    public init(name: String, width: Int? = nil, runner: RunnerReference? = nil) {
        self.name = name
        self.width = width
        self.runner = runner
    }

    /// The network as a job of one kind has it, so that equal work has equal keys: without a
    /// runner that leaves such jobs to the built-in engine, and without what changes no result.
    public func computing(_ kind: RunnerReference.Kind) -> ModelSettings {
        var model = self
        model.runner = runner.flatMap { $0.computes(kind) ? $0.identity : nil }
        return model
    }

    /// The network without what changes no result.
    public var identity: ModelSettings {
        var model = self
        model.runner?.needs = nil
        model.runner?.layers = nil
        return model
    }
}

/// A program that computes jobs in place of the built-in engine, as a manifest asks for it: what
/// keys hold of it, and what a worker must have to run it (`docs/runner.md`).
public struct RunnerReference: Codable, Hashable, Sendable {
    /// The kinds of jobs that runners may compute.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case train, sal
    }

    /// The name workers announce it by.
    public var name: String
    /// The version of its code, as it declares it.
    public var revision: Int
    /// The class of device it computes on, such as `cpu` or `cuda`.
    public var device: String
    /// The kinds it computes, the others being the built-in engine's; `nil`: all.
    public var kinds: [Kind]?
    /// How many layers are measured, of networks that only the runner knows.
    public var layers: Int?
    /// Tags a worker must have beside the runner, such as `gpu` or `memory>=16`; no result
    /// depends on them.
    public var needs: [String]?

    public init(
        name: String, revision: Int = 1, device: String = "cpu", kinds: [Kind]? = nil,
        layers: Int? = nil, needs: [String]? = nil
    ) {
        self.name = name
        self.revision = revision
        self.device = device
        self.kinds = kinds
        self.layers = layers
        self.needs = needs
    }

    public func computes(_ kind: Kind) -> Bool { kinds?.contains(kind) ?? true }

    /// What results depend on: the program, its version and its kind of device.
    public var identity: RunnerReference {
        RunnerReference(name: name, revision: revision, device: device)
    }
}
