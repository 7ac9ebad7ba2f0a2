import FathomCore
import FathomProtocol
import FathomWorker
import Foundation
import Synchronization
import Testing

@Suite("Results on a worker's disk")
struct ResultSpoolTests {
    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "fathom-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func result(_ name: String) -> WorkerMessage {
        let lease = Lease(
            job: JobKey(Digest(of: Array(name.utf8))), attempt: 1, term: 1, entries: 0..<1)
        return .result(lease, JobOutcome(seconds: 1))
    }

    @Test("are kept by each of many workers that start in one folder at the same moment")
    func startTogether() throws {
        let place = try folder()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let problems = Mutex<[String]>([])
        for round in 0..<40 {
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                do {
                    let spool = try ResultSpool(
                        folder: place + "/work", worker: WorkerID("worker-\(round)-\(number)"))
                    try spool.keep(result("\(round) \(number)"))
                    if number % 2 == 0, case .result(let lease, _) = result("\(round) \(number)") {
                        spool.drop([lease])
                        spool.removeIfEmpty()
                    }
                } catch {
                    problems.withLock { $0.append("\(error)") }
                }
            }
        }
        #expect(problems.withLock { $0 } == [])
        // All that nobody has taken back is there for the next.
        let last = try ResultSpool(folder: place + "/work", worker: WorkerID("last"))
        #expect(last.inherited.count == 120)
    }

    @Test("are taken over from workers that are gone, and their caches are not")
    func takenOver() throws {
        let place = try folder()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let file: ArtifactReference
        do {
            let cache = try ArtifactCache(work: place, bytesMax: 1 << 20)
            file = try cache.folder.keep([1, 2, 3], name: "a")
            try ResultSpool(folder: place, worker: WorkerID("gone")).keep(result("a"))
        }
        let spool = try ResultSpool(folder: place, worker: WorkerID("next"))
        #expect(spool.inherited == [result("a")])
        #expect(try ArtifactCache(work: place, bytesMax: 1 << 20).folder.isSound(file.digest))
    }
}
