import FathomCore
import FathomProtocol
import Foundation

/// What a worker asks a runner, one line of JSON each (`docs/runner.md`).
enum RunnerRequest {
    /// The version of the protocol.
    static let version = 1

    struct Hello: Encodable {
        var type = "hello"
        var `protocol` = RunnerRequest.version
    }

    /// A network as the manifest has it, and what it sees and says.
    struct Network: Encodable {
        var name: String
        var width: Int?
        var classes: Int
        var channels: Int
        var height: Int
        var imageWidth: Int
    }

    struct Train: Encodable {
        var type = "train"
        var job: String
        var folder: String
        var task: String
        var model: Network
        var training: TrainingSettings
        var defense: DefenseSettings
        /// Whether images have been through the defense already.
        var defended: Bool
        var seed: Int
        var firstEpoch: Int
        var lastEpoch: Int
        /// Files by what they are.
        var inputs: [String: String]
    }

    struct SAL: Encodable {
        var type = "sal"
        var job: String
        var folder: String
        var task: String
        var model: Network
        var settings: SALSettings
        var firstLayer: Int
        /// One beyond the last.
        var endLayer: Int
        var seed: Int
        var inputs: [String: String]
    }

    /// A line with its end.
    static func line(_ request: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(request)) + [10]
    }
}
