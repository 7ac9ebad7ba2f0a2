import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation
import Testing

/// What comes over the wire never names a file.
@Suite("Names from the wire")
struct HostileWireTests {
    /// A field of a Protobuf message: its number and its bytes.
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 128)
        return [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    @Test(
        "that are paths instead of digests are refused",
        arguments: ["../../x", "/etc/passwd", "", "..", String(repeating: "../", count: 11)])
    func pathsAsDigests(path: String) throws {
        let name = field(1, Array(path.utf8))
        for kind: UInt8 in 2...5 {
            let frame = [8, UInt8(ProtocolVersion.current)] + field(kind, name)
            let error = #expect(throws: MessageError.self) {
                try ArtifactCodec.decodeQuestion(frame)
            }
            #expect(error == .notADigest(field: "digest", bytes: path.utf8.count))
            #expect(throws: MessageError.self) { try ArtifactCodec.decodeAnswer(frame) }
        }
    }

    @Test("whose bytes spell a path reach the disk in hexadecimal only")
    func pathsOfTheRightLength() throws {
        let text = "../../../../../../../../evil.txt"
        let digest = try #require(Digest(bytes: Array(text.utf8)))
        var exchange = try Exchange()
        for question: ArtifactQuestion in [
            .offer(digest, total: 4), .doubt(digest), .fetch(digest, offset: 0, bytes: 4),
            .piece(ArtifactPiece(digest: digest, offset: 0, total: 4, content: [1, 2, 3, 4])),
        ] {
            let frame = ArtifactCodec.encode(question)
            _ = exchange.desk.answer(try ArtifactCodec.decodeQuestion(frame), at: exchange.now)
        }
        let written = exchange.place.files.filter { $0.hasPrefix("desk") }
        #expect(written == ["desk/partial/\(digest.hex)"])
        #expect(exchange.place.files.allSatisfy { !$0.contains("evil") })
    }

    @Test("of jobs, artifacts and workers are never looked up as files")
    func otherNames() throws {
        let scratch = try Scratch()
        // A worker's own name comes from no message; the spool's files are named by digests.
        let spool = try ResultSpool(folder: scratch.path + "/spool", worker: WorkerID("w"))
        let evil = "../../evil"
        let lease = Lease(
            job: JobKey(Digest(of: [1])), attempt: 1, term: 1, entries: 0..<1)
        let outcome = JobOutcome(
            metrics: [MetricRow(epoch: 1, task: evil, split: evil, name: evil, value: 1)],
            artifacts: [ArtifactReference(name: evil, digest: Digest(of: [2]), bytes: 1)])
        let frame = MessageCodec.encode(
            WorkerFrame(worker: WorkerID(evil), messages: [.result(lease, outcome)]))
        for message in try MessageCodec.decodeWorkerFrame(frame).messages {
            try spool.keep(message)
        }
        let names = scratch.files.map { ($0 as NSString).lastPathComponent }
        #expect(names.sorted() == ["\(lease.job)-1-1-0-1.result", "lock"])
        let folder = ArtifactFolder(path: scratch.path + "/files")
        _ = try folder.keep([1, 2, 3], name: evil)
        #expect(scratch.files.allSatisfy { !$0.contains("evil") })
    }

    @Test("of data sets in a job are looked for in the catalogue, not on the disk")
    func dataSetNames() throws {
        let scratch = try Scratch()
        #expect(throws: DataError.self) {
            try DataSetLibrary().open(name: "../../etc", folder: scratch.path)
        }
    }
}
