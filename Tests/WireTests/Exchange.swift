import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation
import Testing

/// A coordinator's desk and a worker's transfers with real folders, on a simulated clock and wire.
struct Exchange {
    /// What the wire does to each frame, as probabilities.
    struct Faults {
        var loss = 0.0
        var doubling = 0.0
        /// That everything in flight is lost and the worker connects anew.
        var cut = 0.0
    }

    let place: Scratch
    var desk: ArtifactDesk
    var transfers: ArtifactTransfers
    let cache: ArtifactCache
    var faults = Faults()
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var told: [TransferEffect] = []
    private(set) var lost: Set<Digest> = []
    /// The most bytes of pieces, either way, that were in flight at once.
    private(set) var bytesInFlightMax = 0
    private var random: RandomStream
    private var questions: [[UInt8]] = []
    private var answers: [[UInt8]] = []

    init(seed: UInt64 = 1, cacheBytes: Int = 1 << 30, deskFolder: String? = nil) throws {
        place = try Scratch()
        random = RandomStream(seed: seed)
        desk = ArtifactDesk(folder: ArtifactFolder(path: deskFolder ?? place.path + "/desk"))
        cache = try ArtifactCache(work: place.path + "/work", bytesMax: cacheBytes)
        transfers = ArtifactTransfers(access: .cached(cache))
    }

    /// A worker or a coordinator that begins anew with what is on its disk.
    mutating func restart(worker: Bool = false, coordinator: Bool = false) {
        questions = []
        answers = []
        if worker { transfers = ArtifactTransfers(access: .cached(cache)) }
        if coordinator { desk = ArtifactDesk(folder: desk.folder) }
    }

    mutating func send(_ event: TransferEvent) {
        for effect in transfers.handle(event, at: now) {
            if case .ask(let question) = effect {
                questions.append(ArtifactCodec.encode(question))
            } else {
                told.append(effect)
            }
        }
    }

    /// One thing more happens; time goes on a little.
    mutating func step() throws {
        now = now + 0.01
        if random.uniformDouble() < faults.cut {
            questions = []
            answers = []
            send(.connected)
        }
        bytesInFlightMax = max(bytesInFlightMax, bytesInFlight)
        if !questions.isEmpty {
            let bytes = questions.removeFirst()
            for _ in 0..<copies() {
                let question = try ArtifactCodec.decodeQuestion(bytes)
                answers.append(ArtifactCodec.encode(desk.answer(question, at: now)))
            }
            lost.formUnion(desk.takeLost())
        } else if !answers.isEmpty {
            let bytes = answers.removeFirst()
            for _ in 0..<copies() { send(.answer(try ArtifactCodec.decodeAnswer(bytes))) }
        } else {
            // Nothing is on its way: time passes until somebody asks again.
            now = now + 1
        }
        send(.tick)
    }

    /// Goes on until all that was asked for has been told of.
    mutating func settle(stepsMax: Int = 100_000) throws {
        for _ in 0..<stepsMax where !transfers.isIdle { try step() }
        try #require(transfers.isIdle, "it goes on for ever")
    }

    private mutating func copies() -> Int {
        if random.uniformDouble() < faults.loss { return 0 }
        return random.uniformDouble() < faults.doubling ? 2 : 1
    }

    /// Bytes that questions and answers carry, or have been asked for and not answered.
    private var bytesInFlight: Int {
        let asked = questions.reduce(0) { sum, bytes in
            switch try? ArtifactCodec.decodeQuestion(bytes) {
            case .fetch(_, _, let count): sum + count
            case .piece(let piece): sum + piece.content.count
            default: sum
            }
        }
        return asked + answers.reduce(0) { $0 + ($1.count > 1_024 ? $1.count : 0) }
    }
}

/// A folder of its own for one test, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fathom-wire-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Every file below it, by its path within.
    var files: [String] {
        let all = FileManager.default.enumerator(atPath: path)?.allObjects ?? []
        return all.compactMap { $0 as? String }.filter {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }
}

/// Bytes that look like nothing, the same for equal seeds.
func content(_ bytes: Int, seed: UInt64) -> [UInt8] {
    var random = RandomStream(seed: seed)
    return [UInt8](unsafeUninitializedCapacity: bytes) { buffer, count in
        while count < bytes {
            var word = random.nextBits()
            for _ in 0..<min(8, bytes - count) {
                buffer[count] = UInt8(truncatingIfNeeded: word)
                word >>= 8
                count += 1
            }
        }
    }
}

extension ArtifactFolder {
    /// Changes one bit of a file, as a disk does.
    func flip(_ digest: Digest, at offset: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(digest)))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data([byte ^ 1]))
    }
}
