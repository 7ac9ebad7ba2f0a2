import Foundation
import Testing

/// Hosts of their own, as network namespaces joined by a bridge in a namespace of its own. Nothing
/// outside them is touched.
final class Hosts {
    /// The program that makes network namespaces.
    static let program =
        ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        } ?? "/usr/sbin/ip"
    private let name = "fathom\(getpid())"
    let count: Int

    /// Whether this machine lets us make network namespaces.
    static let arePossible: Bool = {
        guard geteuid() == 0, let hosts = try? Hosts(count: 1) else { return false }
        return withExtendedLifetime(hosts) { true }
    }()

    /// Host 0 has the address 10.99.0.1, host 1 10.99.0.2, and so on.
    init(count: Int) throws {
        self.count = count
        try Self.ip("netns", "add", "\(name)-switch")
        try Self.ip("-n", "\(name)-switch", "link", "add", "bridge", "type", "bridge")
        try Self.ip("-n", "\(name)-switch", "link", "set", "bridge", "up")
        for host in 0..<count { try addHost(host) }
    }

    deinit {
        for host in 0..<count { try? Self.ip("netns", "delete", "\(name)-\(host)") }
        try? Self.ip("netns", "delete", "\(name)-switch")
    }

    private func addHost(_ host: Int) throws {
        let space = "\(name)-\(host)"
        try Self.ip("netns", "add", space)
        try Self.ip(
            "-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", "port\(host)",
            "netns", "\(name)-switch")
        try Self.ip("-n", space, "addr", "add", "10.99.0.\(host + 1)/24", "dev", "eth0")
        try Self.ip("-n", space, "link", "set", "lo", "up")
        try Self.ip("-n", space, "link", "set", "eth0", "up")
        try Self.ip("-n", "\(name)-switch", "link", "set", "port\(host)", "master", "bridge", "up")
    }

    /// Pulls a host's cable, or puts it back.
    func setLink(of host: Int, up: Bool) throws {
        try Self.ip("-n", "\(name)-switch", "link", "set", "port\(host)", up ? "up" : "down")
    }

    /// What runs a command on a host.
    func prefix(of host: Int) -> [String] {
        [Self.program, "netns", "exec", "\(name)-\(host)"]
    }

    static func ip(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
    }

    private struct Failed: Error {
        let arguments: [String]
    }
}

@Suite("A cluster of several hosts", .serialized)
struct NetworkTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"

    @Test(
        "computes the same when hosts are cut off, longer than a lease, and come back",
        .enabled(if: Hosts.arePossible, "network namespaces need root and iproute2"))
    func cutOff() throws {
        let folder = try TemporaryFolder()
        let program = try FathomProgram()
        try ClusterSweep.write(
            to: folder, seeds: Self.isSlow ? 39 : 6, salSteps: Self.isSlow ? 160 : 20)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let hosts = try Hosts(count: 3)
        let cluster = try ClusterHarness(
            program, in: folder, host: "10.99.0.1", leaseSeconds: Self.isSlow ? 15 : 1)
        cluster.coordinatorPrefix = hosts.prefix(of: 0)
        for host in 1...2 { try cluster.startWorker(prefix: hosts.prefix(of: host)) }
        try cluster.startCoordinator("cluster.yaml")
        let cuts = try breakLines(
            of: Self.isSlow ? [0, 1, 0, 2, 0, 1] : [0, 1], seconds: Self.isSlow ? 30 : 2,
            in: cluster
        ) { host, isUp in try hosts.setLink(of: host, up: isUp) }
        #expect(cuts >= Self.cutsMin, "the sweep outlasted \(cuts) cuts")
        try check(cluster, in: folder, by: program, expected: expected)
        withExtendedLifetime(hosts) {}
    }

    @Test(
        "computes the same with files travelling over lines that delay, lose and break",
        .enabled(
            if: LossyHosts.arePossible, "lossy lines need root, iproute2, python3, /dev/net/tun"))
    func separateHosts() throws {
        let folder = try TemporaryFolder()
        let program = try FathomProgram()
        try ClusterSweep.write(
            to: folder, seeds: Self.isSlow ? 80 : 4, salSteps: Self.isSlow ? 160 : 2)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let hosts = try LossyHosts(count: 5)
        let cluster = try ClusterHarness(
            program, in: folder, host: "10.99.0.1", leaseSeconds: Self.isSlow ? 15 : 2,
            sharesFolder: false)
        cluster.coordinatorPrefix = hosts.prefix(of: 0)
        for host in 1...4 {
            hosts.spoilLine(of: host, delayMilliseconds: 5 * host, lossPercent: 1)
            try cluster.startWorker(prefix: hosts.prefix(of: host), work: "host-\(host)")
        }
        try cluster.startCoordinator("cluster.yaml")
        let cuts = try breakLines(
            of: Self.isSlow ? [0, 1, 2, 0, 3, 4] : [0, 1], seconds: Self.isSlow ? 30 : 3,
            in: cluster
        ) { host, isUp in hosts.setLink(of: host, up: isUp) }
        #expect(cuts >= Self.cutsMin, "the sweep outlasted \(cuts) cuts")
        try check(cluster, in: folder, by: program, expected: expected)
        let lost = hosts.close() ?? 0
        #expect(lost > 0, "the lines lost nothing")
    }

    /// How many cuts a sweep has to outlast at least, for the test to say anything.
    private static let cutsMin = isSlow ? 4 : 1

    /// Cuts one host off after the other, each once some work was finished, and lets it back. While
    /// it is the coordinator's, 0, nobody gets on; while it is a worker's, the others do.
    ///
    /// - Returns: How many cuts were over before the sweep was.
    private func breakLines(
        of hosts: [Int], seconds: Double, in cluster: ClusterHarness,
        setLink: (_ host: Int, _ isUp: Bool) throws -> Void
    ) throws -> Int {
        var outlasted = 0
        for host in hosts {
            guard cluster.reach(cluster.finished + 3) else { break }
            try setLink(host, false)
            let end = Date(timeIntervalSinceNow: seconds)
            _ = eventually(within: seconds + 1) { Date() >= end }
            if cluster.coordinator?.isRunning == true { outlasted += 1 }
            try setLink(host, true)
        }
        return outlasted
    }

    private func check(
        _ cluster: ClusterHarness, in folder: TemporaryFolder, by program: FathomProgram,
        expected: [String: Data]
    ) throws {
        try cluster.finish(within: 300, allGoHome: false)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
    }
}
