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
    private var board = DashboardBoard(groups: [], jobs: 0)
    /// What a job of each kind took when last it was known.
    private var costs: [String: Double] = [:]
    private var boardDue = ContinuousClock.now

    /// - Parameter opened: Told every connection before it is used, and `nil` when it is gone.
    init(_ settings: DashboardSettings, opened: @escaping @Sendable (StoreReader?) -> Void) {
        self.settings = settings
        self.opened = opened
    }

    /// - Returns: `nil` where nothing can have changed since the last call.
    mutating func snapshot() throws -> DashboardSnapshot? {
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

    private mutating func read(_ reader: StoreReader) throws -> DashboardSnapshot? {
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
        let kinds = remembering(try queries.kinds(sweep))
        let cells = try queries.cells(sweep, costs: costs)
        if isBoardDue || !isRunning {
            try renew(reader, sweep, finished: kinds.reduce(0) { $0 + $1.jobs.done })
        }
        var workers = try queries.workers()
        if !isRunning { workers.retire() }
        let pace = try pace(coordinator, queries, sweep, kinds, slots: workers.slots)
        let figures = DashboardFigures(
            store: URL(fileURLWithPath: settings.store).lastPathComponent, sweep: sweep,
            sweeps: count, term: try queries.term(), isRunning: isRunning,
            at: Date().timeIntervalSince1970, kinds: kinds, rate: pace.rate,
            timeLeft: pace.timeLeft, workers: workers, problems: try queries.problems(sweep))
        (version, wasRunning) = (found, isRunning)
        return DashboardSnapshot(figures: figures, cells: cells, board: board)
    }

    /// A kind that has ended, or waits, keeps the cost it had.
    private mutating func remembering(
        _ kinds: [DashboardFigures.Kind]
    ) -> [DashboardFigures.Kind] {
        kinds.map { kind in
            var kind = kind
            kind.seconds = kind.seconds ?? costs[kind.kind]
            costs[kind.kind] = kind.seconds
            return kind
        }
    }

    private mutating func renew(
        _ reader: StoreReader, _ sweep: String, finished: Int
    ) throws {
        let start = ContinuousClock.now
        let rows = try reader.leaderboard(of: try reader.sweep(named: sweep))
        board = DashboardBoard(Leaderboard(rows), jobs: finished)
        let took = ContinuousClock.now - start
        boardDue = ContinuousClock.now + max(.seconds(2), took / DashboardLimits.leaderboardDuty)
    }

    /// As the coordinator says, and as the terminal beside it shows; else from the rows.
    private func pace(
        _ coordinator: CoordinatorState, _ queries: DashboardQueries, _ sweep: String,
        _ kinds: [DashboardFigures.Kind], slots: Int
    ) throws -> (rate: Double, timeLeft: TimeLeft?) {
        switch coordinator {
        case .none: return (0, nil)
        case .telling(let figures): return (figures.rate, figures.timeLeft)
        case .silent: return (try queries.rate(), TimeLeft(of: kinds, slots: slots))
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
    /// `nil`: nobody can say.
    var timeLeft: TimeLeft?

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
        let guessed = found["fathom_seconds_left_guessed"] ?? 0
        timeLeft =
            slots > 0 && seconds > guessed
            ? TimeLeft(seconds: (seconds - guessed) / slots, isAtLeast: guessed > 0) : nil
    }
}
