public import FathomCore

/// A runner that a worker has, as the program itself declared it when the worker asked.
///
/// The command that starts it is the worker's own business and travels nowhere.
public struct RunnerOffer: Codable, Hashable, Sendable {
    public var name: String
    /// The version of its code: keys hold it.
    public var revision: Int
    /// The class of its device, such as `cpu` or `cuda`: keys hold it.
    public var device: String
    public var kinds: [RunnerReference.Kind]
    /// How far two results of one job may lie apart, relative to the larger number; 0: a
    /// runner that is deterministic, whose results are equal bit by bit.
    public var tolerance: Double

    public init(
        name: String, revision: Int, device: String,
        kinds: [RunnerReference.Kind] = RunnerReference.Kind.allCases, tolerance: Double = 0
    ) {
        self.name = name
        self.revision = revision
        self.device = device
        self.kinds = kinds
        self.tolerance = tolerance
    }

    /// Whether it computes what a job of this kind asks for.
    public func fits(_ reference: RunnerReference, _ kind: RunnerReference.Kind) -> Bool {
        identity == reference.identity && kinds.contains(kind)
    }

    /// What it is, as manifests ask for it.
    private var identity: RunnerReference {
        RunnerReference(name: name, revision: revision, device: device)
    }

    /// Such as `torch revision 2 on cuda`.
    public var text: String { identity.text }

    /// Whether a text may name a runner, a device or a tag.
    public static func isWord(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,31}/) != nil
    }
}

extension RunnerReference.Kind {
    /// What a job that asks for a runner is to it.
    public init(_ kind: JobSpec.Kind) { self = kind == .sal ? .sal : .train }
}

extension RunnerReference {
    /// Such as `torch revision 2 on cuda`.
    public var text: String { "\(name) revision \(revision) on \(device)" }
}

/// What a worker says it has, such as `gpu` or `memory=80`, and what jobs ask of it, such as `gpu`
/// or `memory>=16`.
public enum WorkerTags {
    static let right =
        "it must be a tag such as gpu, or a least number such as memory>=16"

    /// Whether a text may be a worker's tag: a word, or a word and its number.
    public static func isTag(_ text: String) -> Bool {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard RunnerOffer.isWord(String(parts[0])) else { return false }
        return parts.count == 1 || NumberText.number(String(parts[1])) != nil
    }

    /// Whether a text may be asked for.
    public static func isNeed(_ text: String) -> Bool {
        guard let (word, least) = split(text) else { return RunnerOffer.isWord(text) }
        return RunnerOffer.isWord(word) && NumberText.number(least) != nil
    }

    /// The first need that none of the tags meets; `nil`: all are met.
    public static func lacking(_ needs: [String], among tags: [String]) -> String? {
        needs.first { need in
            guard let (word, least) = split(need) else {
                return !tags.contains { $0 == need || $0.hasPrefix(need + "=") }
            }
            let minimum = NumberText.number(least) ?? .infinity
            return !tags.contains { tag in
                tag.hasPrefix(word + "=")
                    && NumberText.number(String(tag.dropFirst(word.count + 1)))
                        .map { $0 >= minimum } ?? false
            }
        }
    }

    private static func split(_ need: String) -> (word: String, least: String)? {
        guard let range = need.firstRange(of: ">=") else { return nil }
        return (String(need[..<range.lowerBound]), String(need[range.upperBound...]))
    }
}

extension JobSpec {
    /// Who must compute it, where that is not the built-in engine.
    public var runner: RunnerReference? {
        switch body {
        case .train(let spec): spec.model.runner
        case .sal(let spec): spec.model.runner
        case .poison, .landscape, .probe: nil
        }
    }
}
