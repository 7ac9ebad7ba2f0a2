import Foundation

/// Hosts of their own whose lines delay, lose and break: network namespaces joined by a switch in
/// user space, `scripts/lossy_switch.py`, so that any kernel with namespaces will do.
final class LossyHosts {
    private let name = "fathoml\(getpid())"
    private let count: Int
    private let switchboard = Process()
    private let orders = Pipe()
    private let answers = Pipe()
    private var heard = ""

    /// Whether this machine lets us make them.
    static let arePossible: Bool = {
        guard Hosts.arePossible, let hosts = try? LossyHosts(count: 1) else { return false }
        return withExtendedLifetime(hosts) { true }
    }()

    /// Host 0 has the address 10.99.0.1, host 1 10.99.0.2, and so on.
    init(count: Int) throws {
        self.count = count
        for space in spaces + ["\(name)-switch"] { try Hosts.ip("netns", "add", space) }
        let script =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
            + "/scripts/lossy_switch.py"
        switchboard.executableURL = URL(fileURLWithPath: Hosts.program)
        switchboard.arguments =
            ["netns", "exec", "\(name)-switch", "python3", script] + spaces
        switchboard.standardInput = orders
        switchboard.standardOutput = answers
        try switchboard.run()
        guard hear("ready") else { throw Failed() }
    }

    deinit {
        close()
        for space in spaces + ["\(name)-switch"] { try? Hosts.ip("netns", "delete", space) }
    }

    private var spaces: [String] { (0..<count).map { "\(name)-\($0)" } }

    /// Makes a host's line slow and unreliable, both ways.
    func spoilLine(of host: Int, delayMilliseconds: Int, lossPercent: Double) {
        order("line \(host) \(delayMilliseconds) \(lossPercent)")
    }

    /// Pulls a host's cable, or puts it back.
    func setLink(of host: Int, up: Bool) { order("\(up ? "up" : "down") \(host)") }

    /// What runs a command on a host.
    func prefix(of host: Int) -> [String] {
        [Hosts.program, "netns", "exec", "\(name)-\(host)"]
    }

    /// Ends the switch.
    ///
    /// - Returns: How many packets were lost on the way; `nil` when it does not say.
    @discardableResult
    func close() -> Int? {
        guard switchboard.isRunning else { return nil }
        try? orders.fileHandleForWriting.close()
        let isTold = hear("lost")
        switchboard.waitUntilExit()
        return isTold ? heard.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } : nil
    }

    private func order(_ line: String) {
        try? orders.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Reads on until a line with this word has come; false when the switch has ended before.
    private func hear(_ word: String) -> Bool {
        while true {
            let part = answers.fileHandleForReading.availableData
            guard !part.isEmpty else { return false }
            heard += String(decoding: part, as: UTF8.self)
            if heard.contains(word), heard.hasSuffix("\n") { return true }
        }
    }

    private struct Failed: Error {}
}
