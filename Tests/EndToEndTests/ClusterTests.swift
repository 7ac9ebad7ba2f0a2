import FathomCore
import Foundation
import Testing

/// A coordinator and workers that live apart: each dies, stands still or is cut off alone.
@Suite("A cluster", .serialized)
struct ClusterTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func expectSameExport(as expected: [String: Data]) throws {
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
    }

    @Test("whose coordinator is killed goes on at once and repeats nothing")
    func killedCoordinator() throws {
        let kills = Self.isSlow ? 100 : 8
        // More work than is done until the last kill, also by workers that outrun who looks.
        try ClusterSweep.write(to: folder, seeds: Self.isSlow ? 60 : 9)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 15)
        var random = RandomStream(seed: 1)
        for _ in 0..<2 { try cluster.startWorker() }
        var killed = 0
        var delays: [Double] = []
        while true {
            let delay = try cluster.startCoordinator("cluster.yaml", waits: true)
            if killed > 0, let delay { delays.append(delay) }
            let target = cluster.finished + 1 + random.integer(below: Self.isSlow ? 6 : 16)
            guard killed < kills, cluster.reach(target) else { break }
            cluster.killCoordinator()
            killed += 1
        }
        try cluster.finish(within: 300)
        #expect(killed == kills)
        #expect(delays.allSatisfy { $0 <= 2 }, "\(delays.sorted().suffix(3))")
        try expectSameExport(as: expected)
        let computed = cluster.workerLines(with: "job computed")
        // Each restart found the workers with what they held.
        let inFlight = cluster.workerLines(with: "said hello").reduce(0) { sum, line in
            sum + ["held=", "unacknowledged="].reduce(0) { $0 + Self.number(after: $1, in: line) }
        }
        let repeated = computed.count - Set(computed).count
        #expect(inFlight >= killed)
        #expect(
            Double(repeated) <= 0.05 * Double(inFlight),
            "\(repeated) of \(inFlight) jobs in flight were computed again")
    }

    private static func number(after name: String, in line: String) -> Int {
        guard let range = line.range(of: name) else { return 0 }
        return Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }

    @Test("whose workers are killed and stand still loses nothing and charges nobody")
    func killedWorkers() throws {
        try ClusterSweep.write(to: folder, seeds: Self.isSlow ? 39 : 6)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        // Standing still outlasts a lease, so that work goes to others and results come late.
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: Self.isSlow ? 15 : 1)
        let stillSeconds = Self.isSlow ? 60.0 : 2.0
        var random = RandomStream(seed: 2)
        for _ in 0..<3 { try cluster.startWorker() }
        try cluster.startCoordinator("cluster.yaml")
        for round in 0..<(Self.isSlow ? 6 : 2) {
            guard cluster.reach(cluster.finished + 1 + random.integer(below: 8)) else { break }
            cluster.killWorker(random.integer(below: 3))
            try cluster.startWorker()
            guard round % 2 == 1 || !Self.isSlow else { continue }
            let stopped = cluster.workers[random.integer(below: 3)].processIdentifier
            kill(stopped, SIGSTOP)
            let end = Date(timeIntervalSinceNow: stillSeconds)
            _ = eventually(within: stillSeconds + 1) { Date() >= end }
            kill(stopped, SIGCONT)
        }
        try cluster.finish(within: 300, allGoHome: false)
        try expectSameExport(as: expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
    }

    @Test("takes results that a dead worker left on its disk")
    func spooledResults() throws {
        try ClusterSweep.write(to: folder, seeds: 6)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 15)
        try cluster.startWorker()
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(30))
        cluster.killCoordinator()
        // Results wait on disk once they were not acknowledged for three seconds.
        try #require(eventually(within: 30) { cluster.spooled > 2 })
        cluster.killWorker(0)
        try cluster.startWorker()
        try cluster.startCoordinator("cluster.yaml")
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        #expect(cluster.spooled == 0)
        // They were computed under the first term, and taken under the second.
        let taken = cluster.count(
            """
            SELECT count(*) FROM attempt a JOIN term t ON t.number = 2
            WHERE a.term = 1 AND a.state = 'accepted' AND a.endedAt > t.startedAt
            """)
        #expect(taken > 0)
    }

    @Test("whose worker has no data set waits for one that has it, and says who lacks what")
    func lackingWorker() throws {
        try ClusterSweep.write(to: folder, seeds: 2)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 15)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/empty", withIntermediateDirectories: false)
        try cluster.startWorker(data: "empty")
        try cluster.startCoordinator("cluster.yaml")
        let events = "SELECT count(*) FROM event WHERE kind IN ('dataLacking', 'dataNowhere')"
        try #require(eventually(within: 60) { cluster.count(events) == 2 })
        let status = try program.run(
            ["status", "a.sqlite", "--workers", "--format", "csv"], in: folder.path
        ).output
        #expect(status.contains(",mnist,"), "\(status)")
        let job = try program.run(
            [
                "query", "a.sqlite", "--format", "csv",
                "SELECT j.key FROM job j WHERE j.kind = 'poison' LIMIT 1",
            ], in: folder.path
        ).output.split(separator: "\n")[1]
        let told = try program.run(["explain", "a.sqlite", String(job)], in: folder.path).output
        #expect(told.contains("workers without its data set"), "\(told)")
        try cluster.startWorker()
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
    }

    @Test("hands work back and ends within the grace when a worker is asked to end")
    func drained() throws {
        try ClusterSweep.write(to: folder, seeds: 6)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 15)
        for _ in 0..<2 { try cluster.startWorker(grace: 5) }
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(5))
        let leaving = cluster.workers[0]
        kill(leaving.processIdentifier, SIGTERM)
        #expect(eventually(within: 6) { !leaving.isRunning })
        try #require(!leaving.isRunning)
        #expect(leaving.terminationStatus == 0)
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        let lost = cluster.count("SELECT count(*) FROM event WHERE kind = 'workerLost'")
        #expect(lost == 0)
    }

    @Test("under full load takes no living worker for dead")
    func fullLoad() throws {
        let seconds = Self.isSlow ? 300.0 : 8.0
        try ClusterSweep.write(to: folder, seeds: Self.isSlow ? 39 : 6)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 15)
        let load = try (0..<8).map { _ in try Busy() }
        for _ in 0..<2 { try cluster.startWorker() }
        let end = Date(timeIntervalSinceNow: seconds)
        repeat {
            try cluster.startCoordinator("cluster.yaml")
            _ = eventually(within: 600) { cluster.coordinator?.isRunning != true }
            try #require(cluster.coordinator?.isRunning == false)
            // The next round computes the same again, so that the load lasts.
            guard Date() < end else { break }
            _ = try program.run(["forget", "a.sqlite", "cluster"], in: folder.path)
            for _ in 0..<2 { try cluster.startWorker() }
        } while true
        withExtendedLifetime(load) {}
        let lost = cluster.count(
            "SELECT count(*) FROM event WHERE kind IN ('workerLost', 'probation')")
        #expect(lost == 0)
    }
}

/// A process that does nothing, as fast as it can, until it is let go.
private final class Busy {
    private let process = Process()

    init() throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "while :; do :; done"]
        try process.run()
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
