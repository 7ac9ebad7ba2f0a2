import Foundation
import Testing

/// Hosts of their own, as network namespaces joined by a bridge in a namespace of its own. Nothing
/// outside them is touched.
private final class Hosts {
    private static let ip = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private let name = "fathom\(getpid())"
    let count: Int

    /// Whether this machine lets us make network namespaces.
    static let arePossible: Bool = {
        guard geteuid() == 0, ip != nil, let hosts = try? Hosts(count: 1) else { return false }
        return withExtendedLifetime(hosts) { true }
    }()

    /// Host 0 has the address 10.99.0.1, host 1 10.99.0.2, and so on.
    init(count: Int) throws {
        self.count = count
        try run("netns", "add", "\(name)-switch")
        try run("-n", "\(name)-switch", "link", "add", "bridge", "type", "bridge")
        try run("-n", "\(name)-switch", "link", "set", "bridge", "up")
        for host in 0..<count { try addHost(host) }
    }

    deinit {
        for host in 0..<count { try? run("netns", "delete", "\(name)-\(host)") }
        try? run("netns", "delete", "\(name)-switch")
    }

    private func addHost(_ host: Int) throws {
        let space = "\(name)-\(host)"
        try run("netns", "add", space)
        try run(
            "-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", "port\(host)",
            "netns", "\(name)-switch")
        try run("-n", space, "addr", "add", "10.99.0.\(host + 1)/24", "dev", "eth0")
        try run("-n", space, "link", "set", "lo", "up")
        try run("-n", space, "link", "set", "eth0", "up")
        try run("-n", "\(name)-switch", "link", "set", "port\(host)", "master", "bridge", "up")
    }

    /// Pulls a host's cable, or puts it back.
    func setLink(of host: Int, up: Bool) throws {
        try run("-n", "\(name)-switch", "link", "set", "port\(host)", up ? "up" : "down")
    }

    /// Makes a host's line slow and unreliable; false where this kernel cannot.
    func spoilLine(of host: Int, delayMilliseconds: Int, lossPercent: Int) -> Bool {
        let tool = ["/usr/sbin/tc", "/sbin/tc", "/usr/bin/tc"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        guard let tool else { return false }
        return
            (try? run(
                "netns", "exec", "\(name)-\(host)", tool, "qdisc", "add", "dev", "eth0", "root",
                "netem", "delay", "\(delayMilliseconds)ms", "loss", "\(lossPercent)%")) != nil
    }

    /// What runs a command on a host.
    func prefix(of host: Int) -> [String] {
        [Self.ip ?? "ip", "netns", "exec", "\(name)-\(host)"]
    }

    private func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.ip ?? "ip")
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
        try ClusterSweep.write(to: folder, seeds: Self.isSlow ? 39 : 6)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let hosts = try Hosts(count: 3)
        let cluster = try ClusterHarness(
            program, in: folder, host: "10.99.0.1", leaseSeconds: Self.isSlow ? 15 : 1)
        cluster.coordinatorPrefix = hosts.prefix(of: 0)
        for host in 1...2 { try cluster.startWorker(prefix: hosts.prefix(of: host)) }
        try cluster.startCoordinator("cluster.yaml")
        let seconds = Self.isSlow ? 30.0 : 2.0
        for round in 0..<(Self.isSlow ? 6 : 2) {
            guard cluster.reach(cluster.finished + 3) else { break }
            try hosts.setLink(of: 1 + round % 2, up: false)
            let end = Date(timeIntervalSinceNow: seconds)
            _ = eventually(within: seconds + 1) { Date() >= end }
            try hosts.setLink(of: 1 + round % 2, up: true)
        }
        try cluster.finish(within: 300, allGoHome: false)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
        withExtendedLifetime(hosts) {}
    }

    @Test(
        "computes the same with files travelling over lines that delay, lose and break",
        .enabled(if: Hosts.arePossible, "network namespaces need root and iproute2"))
    func separateHosts() throws {
        let folder = try TemporaryFolder()
        let program = try FathomProgram()
        try ClusterSweep.write(to: folder, seeds: Self.isSlow ? 20 : 4)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let hosts = try Hosts(count: 5)
        let cluster = try ClusterHarness(
            program, in: folder, host: "10.99.0.1", leaseSeconds: Self.isSlow ? 15 : 2,
            sharesFolder: false)
        cluster.coordinatorPrefix = hosts.prefix(of: 0)
        for host in 1...4 {
            // Where the kernel has no netem, lines only break.
            _ = hosts.spoilLine(of: host, delayMilliseconds: 5 * host, lossPercent: 1)
            try cluster.startWorker(prefix: hosts.prefix(of: host), work: "host-\(host)")
        }
        try cluster.startCoordinator("cluster.yaml")
        let seconds = Self.isSlow ? 30.0 : 3.0
        for round in 0..<(Self.isSlow ? 6 : 2) {
            guard cluster.reach(cluster.finished + 6) else { break }
            try hosts.setLink(of: 1 + round % 4, up: false)
            let end = Date(timeIntervalSinceNow: seconds)
            _ = eventually(within: seconds + 1) { Date() >= end }
            try hosts.setLink(of: 1 + round % 4, up: true)
        }
        try cluster.finish(within: 300, allGoHome: false)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
        let charged = cluster.count(
            "SELECT count(*) FROM attempt WHERE state IN ('error', 'slotDeath', 'disagreed')")
        #expect(charged == 0)
        withExtendedLifetime(hosts) {}
    }
}
