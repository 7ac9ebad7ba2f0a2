import FathomCore
import FathomProtocol
import Foundation
import Logging
import Synchronization

/// Times the leaderboard on a store of many SAL rows, at rest and while results are committed.
public struct LeaderboardTrial {
    /// What came out; milliseconds are of a whole reading: the store opened, the leaderboard and
    /// its agreements read, ordered, and written as a table.
    public struct Figures: Sendable {
        public var rows = 0
        public var cells = 0
        public var fillSeconds = 0.0
        public var mergeSeconds = 0.0
        public var idleMilliseconds: [Double] = []
        public var busyMilliseconds: [Double] = []
        /// Results that were committed a second meanwhile.
        public var committedPerSecond = 0.0

        /// The value below which a share of the readings lie.
        public static func quantile(_ share: Double, of values: [Double]) -> Double {
            values.isEmpty ? .nan : Statistics.quantile(share, ofSorted: values.sorted())
        }
    }

    private let store: Store
    private let sweep: SyntheticStore
    private let readings: Int
    private let rate: Int
    private let seconds: Double

    /// - Parameters:
    ///   - path: Where the store is made; nothing may be there.
    ///   - rows: How many SAL rows it gets, about.
    ///   - readings: How often the leaderboard is read at rest.
    ///   - rate: Results a second that are committed while it is read again.
    ///   - seconds: For how long.
    public init(
        path: String, rows: Int, readings: Int = 200, rate: Int = 5_000, seconds: Double = 20
    ) throws {
        store = try Store(path: path)
        sweep = SyntheticStore(rows: rows, streamed: Int(Double(rate) * seconds))
        self.readings = readings
        self.rate = rate
        self.seconds = seconds
    }

    /// Fills the store, merges it, and reads. The store stays, closed.
    public func run() throws -> Figures {
        var figures = Figures(cells: sweep.plan.cells.count)
        var start = Instant.now()
        let id = try store.register(sweep.plan)
        figures.rows = try sweep.fill(store)
        figures.fillSeconds = Instant.now().seconds(since: start)
        start = Instant.now()
        try store.merge(id)
        figures.mergeSeconds = Instant.now().seconds(since: start)
        for _ in 0..<readings { figures.idleMilliseconds.append(try reading()) }
        try measureBusy(&figures, id)
        try store.checkpointAndClose()
        return figures
    }

    /// Milliseconds that a user of `fathom leaderboard` waits for the store.
    private func reading() throws -> Double {
        let start = Instant.now()
        let reader = try Store.openReadOnly(path: store.path)
        let id = try reader.sweep(named: nil)
        let table = LeaderboardTable(
            Leaderboard(try reader.leaderboard(of: id)), sweep: try reader.name(of: id),
            agreements: try reader.rankAgreements(of: id))
        let text = table.text(as: .table)
        precondition(!text.isEmpty, "a leaderboard without text")
        return Instant.now().seconds(since: start) * 1_000
    }

    private func measureBusy(_ figures: inout Figures, _ id: SweepID) throws {
        let refresher = LeaderboardRefresher(
            store: store, sweep: id, restSeconds: 1, logger: Logger(label: "trial"))
        refresher.start()
        defer { refresher.stop() }
        let writer = PacedWriter(store: store, changes: sweep.streamed, rate: rate)
        let start = Instant.now()
        writer.start()
        var next = 0.0
        while Instant.now().seconds(since: start) < seconds, !writer.isDone {
            // Readers come at moments of their own, not when the last one has been served.
            let wait = next - Instant.now().seconds(since: start)
            if wait > 0 { Thread.sleep(forTimeInterval: wait) }
            next += 0.05
            figures.busyMilliseconds.append(try reading())
        }
        let written = writer.stop()
        figures.committedPerSecond = Double(written) / Instant.now().seconds(since: start)
        if let problem = writer.problem { throw problem }
    }
}

/// Commits results in small groups at a steady rate, on a thread of its own.
private final class PacedWriter: Sendable {
    private static let groupsPerSecond = 50

    private let store: Store
    private let changes: [[StoreChange]]
    private let rate: Int
    private let isStopped = Atomic(false)
    private let written = Atomic(0)
    private let failure = Mutex<StoreError?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(store: Store, changes: [[StoreChange]], rate: Int) {
        self.store = store
        self.changes = changes
        self.rate = rate
    }

    var problem: StoreError? { failure.withLock { $0 } }
    var isDone: Bool { written.load(ordering: .acquiring) >= changes.count || problem != nil }

    func start() {
        let thread = Thread { [self] in
            do throws(StoreError) { try work() } catch { failure.withLock { $0 = error } }
            ended.signal()
        }
        thread.start()
    }

    /// - Returns: How many results were committed.
    func stop() -> Int {
        isStopped.store(true, ordering: .releasing)
        ended.wait()
        return written.load(ordering: .acquiring)
    }

    private func work() throws(StoreError) {
        let start = Instant.now()
        var next = 0
        while next < changes.count, !isStopped.load(ordering: .acquiring) {
            let due = Int(Instant.now().seconds(since: start) * Double(rate))
            let end = min(changes.count, due)
            if end > next {
                try store.apply(changes[next..<end].flatMap { $0 })
                next = end
                written.store(next, ordering: .releasing)
            }
            Thread.sleep(forTimeInterval: 1 / Double(Self.groupsPerSecond))
        }
    }
}
