import FathomCore
import Foundation

/// Reads the checkpoints that trainings of a manifest start from, while it is planned.
final class StartCheckpoints {
    /// What jobs will read, by content.
    private(set) var files: [[UInt8]] = []
    private var known: [String: (checkpoint: ImportedCheckpoint, digest: Digest)] = [:]
    private let folder: String

    /// - Parameter manifest: Paths are relative to the folder it is in.
    init(manifest: String) {
        folder = (manifest as NSString).deletingLastPathComponent
    }

    /// The training as jobs know it: its start by content instead of by path.
    func resolved(_ training: TrainingSettings) throws -> TrainingSettings {
        guard let start = training.start else { return training }
        var resolved = training
        resolved.start?.checkpoint = try opened(start.checkpoint).digest.hex
        return resolved
    }

    /// Refuses a start that does not fit the network.
    func check(_ training: TrainingSettings, _ network: Network) throws {
        guard let start = training.start else { return }
        try opened(start.checkpoint).checkpoint.fill(
            ParameterSet(network: network, random: RandomStream(seed: 0)), of: network,
            part: start.part)
    }

    private func opened(
        _ path: String
    ) throws -> (checkpoint: ImportedCheckpoint, digest: Digest) {
        if let known = known[path] { return known }
        let place = path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
        let checkpoint = try ImportedCheckpoint(path: place)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: place)))
        let opened = (checkpoint, Digest(of: bytes))
        known[path] = opened
        files.append(bytes)
        return opened
    }
}
