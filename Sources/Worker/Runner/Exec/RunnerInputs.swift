import FathomCore
import FathomProtocol
import Foundation

/// Writes what a runner reads into its folder, and keeps what the next job reads too.
final class RunnerInputs {
    private let folder: String
    private var number = 0
    private var kept: [Cause: [String: String]] = [:]
    /// Oldest first.
    private var order: [Cause] = []

    /// All that a group of files depends on.
    enum Cause: Hashable {
        case training(DataSpec, poison: JobKey?, DefenseSettings, TrainingPhase.Share?)
        case sal(SALSpec)
        case checkpoint(JobKey)
    }

    /// As many groups as an alternation of training and measuring needs.
    private static let keptMax = 4

    init(folder: String) { self.folder = folder }

    /// The files of a cause, by what they are; made when they are asked for first.
    func files(
        _ cause: Cause, make: ((String, [UInt8]) throws -> Void) throws -> Void
    ) throws -> [String: String] {
        if let files = kept[cause] {
            order.removeAll { $0 == cause }
            order.append(cause)
            return files
        }
        while order.count >= Self.keptMax { drop(order.removeFirst()) }
        var files: [String: String] = [:]
        try make { name, bytes in
            number += 1
            let kind = name == "checkpoint" || name == "initial" ? "safetensors" : "npy"
            let path = "\(folder)/\(number)-\(name).\(kind)"
            try AtomicFile.write(bytes, to: path)
            files[name] = path
        }
        kept[cause] = files
        order.append(cause)
        return files
    }

    private func drop(_ cause: Cause) {
        for path in (kept.removeValue(forKey: cause) ?? [:]).values {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    // MARK: Arrays

    /// Images `[N, C, H, W]`: bytes, 255 of them the brightest, or numbers where bytes say too little.
    static func array(of images: ImageSet) -> [UInt8] {
        let shape = [images.count, images.channels, images.height, images.width]
        let values = images.numbers.map { StoredValues.float32($0) } ?? .uint8(images.pixels)
        return NPYFile(StoredArray(shape: shape, values: values)).encoded()
    }

    static func array(ofLabels labels: [Int32]) -> [UInt8] {
        NPYFile(StoredArray(shape: [labels.count], values: .int64(labels.map(Int64.init))))
            .encoded()
    }

    /// What the epochs draw: the order `[epochs, N]`, and where images are cropped and flipped the
    /// placements `[epochs, N, 3]`.
    static func draws(_ draws: [EpochDraws]) -> (order: [UInt8], placements: [UInt8]?) {
        let count = draws.first?.order.count ?? 0
        let order = NPYFile(
            StoredArray(
                shape: [draws.count, count],
                values: .int64(draws.flatMap { $0.order.map(Int64.init) })))
        let placements = draws.flatMap(\.placements)
        guard !placements.isEmpty else { return (order.encoded(), nil) }
        let placed = NPYFile(
            StoredArray(shape: [draws.count, count, 3], values: .int32(placements)))
        return (order.encoded(), placed.encoded())
    }
}
