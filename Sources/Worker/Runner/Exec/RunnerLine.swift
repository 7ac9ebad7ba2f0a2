import FathomCore
package import FathomProtocol
import Foundation

/// What a runner does that it should not, in words for whoever wrote it.
package enum RunnerFault: Error, Hashable, CustomStringConvertible {
    case notJSON(line: String, reason: String)
    case unknownType(String)
    case missing(type: String, field: String)
    case wrong(type: String, field: String, value: String, right: String)
    case unexpected(type: String, expected: String)
    case twice(String)
    case incomplete(String)
    case lineTooLong(limit: Int)
    case tooMuchOutput(limit: Int)
    case silent(seconds: Double)
    case tooSlow(seconds: Double)
    case notHere
    case ended(String)
    case reported(String)
    case file(path: String, reason: String)
    case differs(found: String, wanted: String)

    package var description: String {
        switch self {
        case .notJSON(let line, let reason):
            "it said a line that is no JSON object: \(line) (\(reason)); what is not of the "
                + "protocol belongs on standard error"
        case .unknownType(let type):
            "it said something of type \(type); known are hello, progress, metric, sal, artifact, "
                + "done and error"
        case .missing(let type, let field): "its \(type) lacks \(field)"
        case .wrong(let type, let field, let value, let right):
            "its \(type) has \(field) \(value); \(right)"
        case .unexpected(let type, let expected): "it said \(type); \(expected) was due"
        case .twice(let what): "it told \(what) twice"
        case .incomplete(let what): "it was done without \(what)"
        case .lineTooLong(let limit): "it said a line of more than \(limit) bytes"
        case .tooMuchOutput(let limit): "it said more than \(limit) bytes of one job"
        case .silent(let seconds):
            "it said nothing for \(seconds) s (--runner-silence); progress counts as a word"
        case .tooSlow(let seconds): "it worked longer than \(seconds) s (--runner-time)"
        case .notHere: "this worker has none of this name (--runner)"
        case .ended(let how): how
        case .reported(let message): "it says: \(message)"
        case .file(let path, let reason): "its file \(path) \(reason)"
        case .differs(let found, let wanted):
            "it declares \(found) now; the job asks for \(wanted)"
        }
    }
}

/// One line that a runner said, decoded and checked by itself.
package enum RunnerReply: Sendable {
    case hello(RunnerOffer)
    case progress(Double)
    case metric(epoch: Int, split: String, name: String, value: Double?)
    case sal(SALReply)
    case artifact(name: String, path: String)
    case done
    case error(String)

    /// A layer's measurement before its verdict.
    package struct SALReply: Sendable {
        var layerIndex: Int
        var layer: String
        var weightCount: Int
        var weightNorm: Double
        var originLoss: Double?
        var originAccuracy: Double
        var down: SALWalk
        var up: SALWalk
        var forwardEquivalents: Double
    }

    var type: String {
        switch self {
        case .hello: "hello"
        case .progress: "progress"
        case .metric: "metric"
        case .sal: "sal"
        case .artifact: "artifact"
        case .done: "done"
        case .error: "error"
        }
    }

    /// Decodes one line. Whatever bytes it has, this answers or throws.
    package init(decoding line: [UInt8]) throws(RunnerFault) {
        let raw: RunnerLine
        do {
            raw = try JSONDecoder().decode(RunnerLine.self, from: Data(line))
        } catch {
            let shown = String(decoding: line.prefix(120), as: UTF8.self)
            throw .notJSON(line: String(reflecting: shown), reason: Self.reason(error))
        }
        self = try raw.reply()
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
        default: return "it cannot be read"
        }
    }
}

/// The fields of all lines together, as JSON has them.
private struct RunnerLine: Decodable {
    struct Walk: Decodable {
        var losses: [Double]
        var accuracies: [Double]
        var radii: [Double]
        var reachedAt: Int?
        var diverged: Bool?
    }

    var type: String
    var `protocol`: Int?
    var runner: String?
    var revision: Int?
    var device: String?
    var kinds: [String]?
    var deterministic: Bool?
    var tolerance: Double?
    var share: Double?
    var epoch: Int?
    var split: String?
    var name: String?
    var value: Double?
    var layerIndex: Int?
    var layer: String?
    var weightCount: Int?
    var weightNorm: Double?
    var originLoss: Double?
    var originAccuracy: Double?
    var down: Walk?
    var up: Walk?
    var forwardEquivalents: Double?
    var path: String?
    var message: String?

    func reply() throws(RunnerFault) -> RunnerReply {
        switch type {
        case "hello": return try hello()
        case "progress":
            let share = try needed(share, "share")
            return .progress(share.isFinite ? min(max(share, 0), 1) : 0)
        case "metric":
            return .metric(
                epoch: try needed(epoch, "epoch"), split: try word(split, "split"),
                name: try word(name, "name"), value: value)
        case "sal": return .sal(try sal())
        case "artifact":
            return .artifact(name: try word(name, "name"), path: try needed(path, "path"))
        case "done": return .done
        case "error": return .error(String((message ?? "it gave no reason").prefix(8_192)))
        default: throw .unknownType(String(type.prefix(64)))
        }
    }

    private func hello() throws(RunnerFault) -> RunnerReply {
        let version = try needed(`protocol`, "protocol")
        guard version == RunnerRequest.version else {
            throw .wrong(
                type: type, field: "protocol", value: "\(version)",
                right: "this worker speaks \(RunnerRequest.version)")
        }
        let revision = try needed(revision, "revision")
        guard (1...1_000_000).contains(revision) else {
            throw .wrong(
                type: type, field: "revision", value: "\(revision)", right: "it is 1 to 1000000")
        }
        var known: [RunnerReference.Kind] = []
        for name in try needed(kinds, "kinds") {
            guard let kind = RunnerReference.Kind(rawValue: name), !known.contains(kind) else {
                throw .wrong(
                    type: type, field: "kinds", value: String(name.prefix(64)),
                    right: "known are train and sal, each once")
            }
            known.append(kind)
        }
        let tolerance = deterministic ?? false ? 0 : try needed(tolerance, "tolerance")
        guard tolerance >= 0, tolerance <= 1 else {
            throw .wrong(
                type: type, field: "tolerance", value: "\(tolerance)", right: "it is 0 to 1")
        }
        return .hello(
            RunnerOffer(
                name: try word(runner, "runner"), revision: revision,
                device: try word(device, "device"), kinds: known, tolerance: tolerance))
    }

    private func sal() throws(RunnerFault) -> RunnerReply.SALReply {
        let count = try needed(weightCount, "weightCount")
        let norm = try needed(weightNorm, "weightNorm")
        guard count >= 0, norm >= 0, norm.isFinite else {
            throw .wrong(
                type: type, field: "weightNorm", value: "\(norm)",
                right: "counts and norms are not negative")
        }
        let accuracy = try needed(originAccuracy, "originAccuracy")
        guard (0...1).contains(accuracy) else {
            throw .wrong(
                type: type, field: "originAccuracy", value: "\(accuracy)", right: "it is 0 to 1")
        }
        let name = try needed(layer, "layer")
        guard !name.isEmpty, name.utf8.count <= 256 else {
            throw .wrong(
                type: type, field: "layer", value: String(name.prefix(64)),
                right: "it has 1 to 256 letters")
        }
        return RunnerReply.SALReply(
            layerIndex: try needed(layerIndex, "layerIndex"), layer: name, weightCount: count,
            weightNorm: norm, originLoss: originLoss, originAccuracy: accuracy,
            down: try walk(down, "down"), up: try walk(up, "up"),
            forwardEquivalents: max(0, forwardEquivalents ?? 0))
    }

    private func walk(_ walk: Walk?, _ field: String) throws(RunnerFault) -> SALWalk {
        let walk = try needed(walk, field)
        let count = walk.losses.count
        guard count == walk.accuracies.count, count == walk.radii.count,
            count <= MessageLimits.walkSteps
        else {
            throw .wrong(
                type: type, field: field,
                value: "\(count) losses, \(walk.accuracies.count) accuracies and "
                    + "\(walk.radii.count) radii",
                right: "each step has one of each")
        }
        guard walk.accuracies.allSatisfy({ (0...1).contains($0) }),
            walk.radii.allSatisfy({ $0 >= 0 })
        else {
            throw .wrong(
                type: type, field: field, value: "an accuracy or radius beyond its range",
                right: "accuracies are 0 to 1, radii not negative")
        }
        return SALWalk(
            losses: walk.losses, accuracies: walk.accuracies, radii: walk.radii,
            reachedAt: walk.reachedAt.flatMap { (1...max(1, count)).contains($0) ? $0 : nil },
            diverged: walk.diverged ?? false)
    }

    private func needed<Value>(_ value: Value?, _ field: String) throws(RunnerFault) -> Value {
        guard let value else { throw .missing(type: type, field: field) }
        return value
    }

    private func word(_ value: String?, _ field: String) throws(RunnerFault) -> String {
        let text = try needed(value, field)
        guard RunnerOffer.isWord(text) else {
            throw .wrong(
                type: type, field: field, value: String(reflecting: text.prefix(64)),
                right: "it has 1 to 32 letters a-z, digits, dots, dashes and underscores")
        }
        return text
    }
}
