/// Where a dashboard listens, and what it reads.
public struct DashboardSettings: Sendable, Hashable {
    public var store: String
    /// The sweep shown; `nil`: the one registered last.
    public var sweep: String?
    public var host: String
    public var port: Int
    /// Whether others than this machine may be served, with the token.
    public var isRemote: Bool

    public init(
        store: String, sweep: String? = nil, host: String = "127.0.0.1", port: Int = 8080,
        isRemote: Bool = false
    ) {
        self.store = store
        self.sweep = sweep
        self.host = host
        self.port = port
        self.isRemote = isRemote
    }

    /// Reads `127.0.0.1:8080`, `:8080`, `8080`, `localhost:8080` or `[::1]:8080`.
    ///
    /// - Parameter option: Where a user wrote it.
    /// - Throws: `DashboardError` naming what would be right.
    public static func address(
        _ text: String, isRemote: Bool, option: String = "--dashboard"
    ) throws(DashboardError) -> (host: String, port: Int) {
        let cut = text.lastIndex(of: ":")
        let before = cut.map { String(text[..<$0]) } ?? ""
        let after = cut.map { String(text[text.index(after: $0)...]) } ?? text
        guard let port = Int(after), (0...65_535).contains(port), after.allSatisfy(\.isNumber)
        else { throw .address(text, option) }
        let host = before.isEmpty ? "127.0.0.1" : before
        let bare =
            host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard !bare.isEmpty, bare.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .address(text, option)
        }
        guard isRemote || loopback.contains(bare) else { throw .notLoopback(host: host, option) }
        return (bare, port)
    }

    /// The names of this machine to itself.
    static let loopback: Set<String> = ["127.0.0.1", "localhost", "::1"]
}

/// Why there is no dashboard.
public enum DashboardError: Error, Sendable, Hashable, CustomStringConvertible {
    case address(String, _ option: String)
    case notLoopback(host: String, _ option: String)
    case cannotListen(host: String, port: Int, reason: String)
    /// There is no sweep of that name, or none at all.
    case noSweep(String?)

    public var description: String {
        switch self {
        case .address(let text, let option):
            "\(option) is \(text); it takes HOST:PORT, such as 127.0.0.1:8080, with a port from "
                + "0 (any free one) to 65535"
        case .notLoopback(let host, let option):
            "\(option) would listen on \(host), where other machines reach it; use 127.0.0.1 and "
                + "an SSH tunnel, or add --dashboard-remote, which asks everybody for the token"
        case .cannotListen(let host, let port, let reason):
            "the dashboard cannot listen on \(host), port \(port): \(reason)"
        case .noSweep(let name):
            name.map { "the store has no sweep called \($0)" } ?? "the store has no sweep yet"
        }
    }
}

/// Caps on what visitors can make the dashboard do.
enum DashboardLimits {
    /// Connections at a time; more wait until one closes.
    static let connections = 64
    /// Live pages at a time.
    static let streams = 32
    /// After so long without a whole request a connection is closed.
    static let idleSeconds: Int64 = 10
    static let bodyBytes = 4_096
    /// After so long without taking what it was sent a live page's connection is closed.
    static let writeSeconds: Int64 = 20
    static let headerBytes = 16 << 10
    /// Questions to the store that may wait.
    static let questions = 16
    static let questionSeconds = 5.0
    /// Rows of a page of cells, of workers, of problems; groups of a page of the leaderboard, and
    /// rows of one.
    static let cellRows = 100
    static let workerRows = 100
    static let problemRows = 50
    static let boardGroups = 12
    static let boardRows = 100
    static let searchCharacters = 100
    /// The share of one core that reading the store may take.
    static let duty = 0.1
    /// The same for the leaderboard, which costs most.
    static let leaderboardDuty = 0.04
    static let refreshSeconds = 1.0
    /// How long one query of a refresh may take.
    static let refreshSecondsMax = 30.0
}
