import FathomCoordinator
import Foundation

/// Works snapshots out of a store, when it has changed; the leaderboard only when there is time
/// for it.
struct DashboardRefresh {
    /// The connection at hand, for questions.
    private(set) var reader: StoreReader?

    private let settings: DashboardSettings
    private let opened: @Sendable (StoreReader?) -> Void
    private var file: UInt64?
    private var version = -1
    private var wasRunning = true
    private var board = DashboardSnapshot.Board(groups: [], left: 0, jobs: -1)
    private var boardDue = ContinuousClock.now

    /// - Parameter opened: Told every connection before it is used, and `nil` when it is gone.
    init(_ settings: DashboardSettings, opened: @escaping @Sendable (StoreReader?) -> Void) {
        self.settings = settings
        self.opened = opened
    }

    /// - Returns: `nil` where nothing can have changed since the last call.
    mutating func snapshot() throws -> (snapshot: DashboardSnapshot, cells: [CellRow])? {
        do {
            return try read(try connection())
        } catch {
            (reader, version) = (nil, -1)
            opened(nil)
            throw error
        }
    }

    /// A store that was replaced is another file under the same name.
    private mutating func connection() throws -> StoreReader {
        var status = stat()
        let found = stat(settings.store, &status) == 0 ? UInt64(status.st_ino) : nil
        if found != file || reader == nil {
            (reader, version) = (nil, -1)
            reader = try Store.openReadOnly(path: settings.store)
            file = found
            opened(reader)
        }
        guard let reader else { throw StoreError.missing(path: settings.store) }
        return reader
    }

    private mutating func read(
        _ reader: StoreReader
    ) throws -> (snapshot: DashboardSnapshot, cells: [CellRow])? {
        let queries = DashboardQueries(reader: reader)
        let coordinator = CoordinatorState(ofStore: settings.store)
        let isRunning = coordinator != .none
        let found = try queries.version()
        let isBoardDue = ContinuousClock.now >= boardDue
        // While a coordinator runs, rates change though nothing is written.
        guard isRunning || wasRunning || found != version else { return nil }
        guard let (sweep, count) = try queries.sweep(named: settings.sweep) else {
            throw DashboardError.noSweep(settings.sweep)
        }
        let kinds = try queries.kinds(sweep)
        let costs = Dictionary(
            kinds.compactMap { kind in kind.seconds.map { (kind.kind, $0) } },
            uniquingKeysWith: { first, _ in first })
        let cells = try queries.cells(sweep, costs: costs)
        if isBoardDue || !isRunning {
            try renew(reader, sweep, finished: kinds.reduce(0) { $0 + $1.done })
        }
        var workers = try queries.workers()
        if !isRunning { workers.retire() }
        let pace = try pace(coordinator, queries, sweep, kinds, slots: workers.slots)
        let snapshot = DashboardSnapshot(
            store: URL(fileURLWithPath: settings.store).lastPathComponent, sweep: sweep,
            sweeps: count, term: try queries.term(), isRunning: isRunning,
            at: Date().timeIntervalSince1970, kinds: kinds, rate: pace.rate,
            secondsLeft: pace.secondsLeft, workers: workers,
            problems: try queries.problems(sweep),
            cells: CellPage(cells, search: "", order: .plan, offset: 0), board: board)
        (version, wasRunning) = (found, isRunning)
        return (snapshot, cells)
    }

    private mutating func renew(
        _ reader: StoreReader, _ sweep: String, finished: Int
    ) throws {
        let start = ContinuousClock.now
        let rows = try reader.leaderboard(of: try reader.sweep(named: sweep))
        board = DashboardSnapshot.Board(Leaderboard(rows), jobs: finished)
        let took = ContinuousClock.now - start
        boardDue = ContinuousClock.now + max(.seconds(2), took / DashboardLimits.leaderboardDuty)
    }

    /// As the coordinator says, and as the terminal beside it shows; else from the rows.
    private func pace(
        _ coordinator: CoordinatorState, _ queries: DashboardQueries, _ sweep: String,
        _ kinds: [DashboardSnapshot.Kind], slots: Int
    ) throws -> (rate: Double, secondsLeft: Double?) {
        switch coordinator {
        case .none: return (0, nil)
        case .telling(let figures): return (figures.rate, figures.secondsLeft)
        case .silent:
            return (
                try queries.rate(), DashboardSnapshot.Kind.secondsLeft(of: kinds, slots: slots)
            )
        }
    }
}

/// Whether a store's coordinator runs, and what it says of itself.
enum CoordinatorState: Equatable {
    case none
    /// It runs, but is somebody else's, or about to end.
    case silent
    case telling(CoordinatorFigures)

    init(ofStore store: String) {
        do {
            let text = try ControlClient.metrics(ofStore: store)
            self =
                text.map { CoordinatorFigures(metrics: $0).map(Self.telling) ?? .silent } ?? .none
        } catch {
            self = .silent
        }
    }
}

/// A running coordinator's pace.
struct CoordinatorFigures: Equatable {
    /// Results a second.
    var rate: Double
    /// Until the end, at the pace of the slots there are; `nil`: nobody can say.
    var secondsLeft: Double?

    /// Reads the figures in the form that Prometheus reads; `nil` when they are not among them.
    init?(metrics: String) {
        var found: [Substring: Double] = [:]
        for line in metrics.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = Double(words[1]) { found[words[0]] = value }
        }
        guard let rate = found["fathom_results_per_second"],
            let seconds = found["fathom_seconds_left"], let slots = found["fathom_slots"]
        else { return nil }
        self.rate = rate
        secondsLeft = slots > 0 && seconds > 0 ? seconds / slots : nil
    }
}
