import FathomCore
import FathomCoordinator
import FathomProtocol
import Foundation
import Testing

/// A machine loses power while the store is written: the log on disk ends anywhere.
@Suite("A store whose log was torn")
struct TornWriteTests {
    private static let transactions = 12
    private static let jobsEach = 5
    private let folder: StoreFolder
    private let path: String
    /// The log's length after each transaction.
    private var ends: [Int] = []

    init() throws {
        folder = try StoreFolder()
        path = folder.file("a.sqlite")
        let plan = ProbePlan.plan([(.succeed, Self.transactions * Self.jobsEach)])
        let store = try Store(path: path)
        _ = try store.register(plan)
        ends.append(try size("a.sqlite-wal"))
        for number in 0..<Self.transactions {
            let jobs = plan.jobs[number * Self.jobsEach..<(number + 1) * Self.jobsEach]
            try store.apply(jobs.flatMap { Self.finishing($0.key) })
            ends.append(try size("a.sqlite-wal"))
        }
        // Copied while it is open, as a power cut would leave it.
        for file in ["a.sqlite", "a.sqlite-wal"] {
            try FileManager.default.copyItem(
                atPath: folder.file(file), toPath: folder.file("cut-" + file))
        }
        withExtendedLifetime(store) {}
    }

    private static func finishing(_ job: JobKey) -> [StoreChange] {
        let lease = Lease(job: job, attempt: 1, term: 1, entries: 0..<1)
        let row = MetricRow(epoch: 1, task: "probe", split: "test", name: "number", value: 1)
        return [
            .accepted(
                lease, worker: WorkerID("w"), outcome: JobOutcome(metrics: [row], seconds: 0.1)),
            .jobFinished(job),
        ]
    }

    private func size(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
        return (attributes[.size] as? Int) ?? 0
    }

    /// Opens a store whose log is `log`, and answers how many jobs are finished and have rows.
    private func opened(_ log: Data, name: String) throws -> (finished: Int, rows: Int) {
        let file = folder.file(name)
        try FileManager.default.copyItem(atPath: folder.file("cut-a.sqlite"), toPath: file)
        try log.write(to: URL(fileURLWithPath: file + "-wal"))
        let store = try Store(path: file)
        func count(_ query: String) throws -> Int {
            guard case .integer(let count)? = try store.query(query).rows.first?.first else {
                return -1
            }
            return Int(count)
        }
        #expect(try store.query("SELECT * FROM pragma_foreign_key_check").rows.isEmpty)
        return (
            try count("SELECT count(*) FROM job WHERE state = 'finished'"),
            try count("SELECT count(*) FROM metric")
        )
    }

    @Test("opens with every whole transaction and nothing of the torn one")
    func cut() throws {
        let log = try Data(contentsOf: URL(fileURLWithPath: folder.file("cut-a.sqlite-wal")))
        try #require(ends.last == log.count)
        var random = RandomStream(seed: 1)
        let span = log.count - ends[0]
        let anywhere = (0..<40).map { _ in ends[0] + random.integer(below: span) }
        let atEnds = ends.flatMap { [$0 - 1, $0, $0 + 1] }.filter { $0 >= ends[0] }
        for (number, length) in Set(anywhere + atEnds).sorted().enumerated() {
            let whole = ends.count { $0 <= length } - 1
            let found = try opened(log.prefix(length), name: "\(number).sqlite")
            #expect(found.finished == whole * Self.jobsEach, "cut at \(length)")
            #expect(found.rows == found.finished, "cut at \(length)")
        }
    }

    @Test("ends before a sector that was not written")
    func blankSector() throws {
        let log = try Data(contentsOf: URL(fileURLWithPath: folder.file("cut-a.sqlite-wal")))
        var random = RandomStream(seed: 2)
        for number in 0..<20 {
            let sector = random.integer(below: log.count / 512 - 2) + 1
            var torn = log
            torn.replaceSubrange(sector * 512..<(sector + 1) * 512, with: Data(count: 512))
            // What was blank anyway is no damage.
            guard torn != log else { continue }
            let whole = ends.count { $0 <= sector * 512 } - 1
            guard whole >= 0 else { continue }
            let found = try opened(torn, name: "sector-\(number).sqlite")
            #expect(found.finished == whole * Self.jobsEach, "sector \(sector)")
            #expect(found.rows == found.finished, "sector \(sector)")
        }
    }
}
