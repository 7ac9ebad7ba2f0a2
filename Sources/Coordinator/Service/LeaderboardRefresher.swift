import Foundation
public import Logging
import Synchronization

/// Keeps a sweep's leaderboard up to date while results arrive, on a thread of its own.
///
/// It rests long between two rounds, fifty times as long as a round takes, so that it never takes
/// more than two percent of a core from those who compute.
public final class LeaderboardRefresher: Sendable {
    /// The shortest rest between two rounds.
    public static let restSeconds = 5.0
    /// How many times longer than a round the rest after it is.
    private static let restFactor = 50.0

    private let store: Store
    private let sweep: SweepID
    private let logger: Logger
    private let restSeconds: Double
    private let asked = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let isStopped = Atomic(false)

    /// - Parameter restSeconds: The shortest rest between two rounds, and before the first.
    public init(
        store: Store, sweep: SweepID, restSeconds: Double = restSeconds, logger: Logger
    ) {
        self.store = store
        self.sweep = sweep
        self.restSeconds = restSeconds
        self.logger = logger
    }

    /// Begins; call once.
    public func start() {
        let thread = Thread { [self] in
            work()
            ended.signal()
        }
        thread.name = "leaderboard"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Ends after the round under way, and waits for that.
    public func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        asked.signal()
        ended.wait()
    }

    private func work() {
        var cache = ScoreCache()
        var rest = restSeconds
        while asked.wait(timeout: .now() + rest) == .timedOut {
            let start = DispatchTime.now().uptimeNanoseconds
            do throws(StoreError) {
                // A connection a round: one that stays open would keep the log from shrinking.
                let reader = try Store.openReadOnly(path: store.path)
                try store.refreshLeaderboard(of: sweep, reading: reader, cache: &cache)
            } catch {
                // The next round, or the last merge, makes up for it.
                logger.debug("leaderboard not refreshed", metadata: ["reason": "\(error)"])
            }
            let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
            rest = max(restSeconds, Self.restFactor * seconds)
        }
    }
}
