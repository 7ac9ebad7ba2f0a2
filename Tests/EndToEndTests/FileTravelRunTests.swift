import FathomCore
import FathomProtocol
import Foundation
import Testing

/// Coordinator and workers that share no folder: files travel between them.
@Suite("A cluster without a shared folder", .serialized)
struct FileTravelRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private var artifacts: ArtifactFolder {
        ArtifactFolder(path: folder.path + "/a.sqlite.artifacts")
    }

    private func expectSameExport(as expected: [String: Data]) throws {
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
    }

    /// The sum of a number that lines of a log tell.
    private func total(_ name: String, in lines: [String]) -> Int {
        lines.reduce(0) { sum, line in
            guard let range = line.range(of: " \(name)=") else { return sum }
            return sum + (Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0)
        }
    }

    @Test("computes the same, with a coordinator that is killed, and moves nothing twice")
    func separateFolders() throws {
        try ClusterSweep.write(to: folder, seeds: 2)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: 15, sharesFolder: false)
        for host in 0..<2 { try cluster.startWorker(work: "host-\(host)") }
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(12))
        cluster.killCoordinator()
        try cluster.startCoordinator("cluster.yaml")
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        #expect(artifacts.contents().count > 10)
        for file in artifacts.contents() { #expect(artifacts.isSound(file.digest)) }
        let first = cluster.workerLines(with: "files moved")
        #expect(total("bytesBrought", in: first) > 0)
        #expect(total("bytesFetched", in: first) > 0)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
        // The same workers have the files of a second run already.
        try #require(
            try program.run(["forget", "a.sqlite", "cluster"], in: folder.path).status == 0)
        for host in 0..<2 { try cluster.startWorker(work: "host-\(host)") }
        try cluster.startCoordinator("cluster.yaml")
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        let lines = cluster.workerLines(with: "files moved").dropFirst(2)
        #expect(total("bytesBrought", in: Array(lines)) == 0)
        // Poisons and checkpoints may change hosts once; no file comes to a host twice.
        for host in 0..<2 {
            let cache = ArtifactFolder(path: folder.path + "/host-\(host)/cache-0")
            #expect(cache.contents().allSatisfy { cache.isSound($0.digest) })
        }
    }

    @Test("finds a flipped byte, at the coordinator and at a worker, and has it mended")
    func flipped() throws {
        try ClusterSweep.write(to: folder, seeds: 1)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(
            program, in: folder, leaseSeconds: 15, sharesFolder: false)
        try cluster.startWorker(work: "host-0")
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(4))
        // Stopped, so that damage meets files at rest.
        let process = try #require(cluster.coordinator)
        cluster.killCoordinator()
        cluster.killWorker(0)
        #expect(!process.isRunning)
        let cache = ArtifactFolder(path: folder.path + "/host-0/cache-0")
        // Here the coordinator's copy of each file is sound, and a worker's is not.
        for file in cache.contents() { try flip(cache.file(file.digest)) }
        try cluster.startWorker(work: "host-0")
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(10))
        cluster.killCoordinator()
        cluster.killWorker(0)
        // Now all copies at the coordinator are damaged, and a worker elsewhere needs them.
        for file in artifacts.contents() { try flip(artifacts.file(file.digest)) }
        try cluster.startWorker(work: "host-1")
        try cluster.startCoordinator("cluster.yaml")
        try cluster.finish(within: 300)
        try expectSameExport(as: expected)
        let lost = cluster.count("SELECT count(*) FROM event WHERE kind = 'artifactLost'")
        #expect(lost > 0)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
        #expect(!cluster.workerLines(with: "input missing or damaged").isEmpty)
    }

    private func flip(_ path: String) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        let end = try handle.seekToEnd()
        try handle.seek(toOffset: end / 2)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: end / 2)
        try handle.write(contentsOf: Data([byte ^ 4]))
    }

    @Test("keeps the last checkpoint of each run where the manifest says so")
    func keepLast() throws {
        try ClusterSweep.write(to: folder, seeds: 1)
        let manifest = folder.path + "/cluster.yaml"
        let text = try String(contentsOfFile: manifest, encoding: .utf8)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        try Data((text + "\nkeep: last\n").utf8).write(to: URL(fileURLWithPath: manifest))
        let (status, _, errors) = try program.runWithErrors(
            ["run", "cluster.yaml", "--db", "a.sqlite", "--data", "data"], in: folder.path)
        try #require(status == 0, "\(errors)")
        try expectSameExport(as: expected)
        let named = StoredWork.count(
            "SELECT count(*) FROM artifact", in: folder.path + "/a.sqlite")
        // Three runs of four checkpoints each, of which one stays; poisons stay.
        #expect(artifacts.contents().count == named - 9)
    }
}
