public import FathomProtocol

/// What a coordinator has measured of its own work since it started.
public struct ServiceMeter: Sendable {
    /// Transactions that made something last, and how many results were among it.
    public private(set) var commits = 0
    public private(set) var resultsStored = 0
    /// How long the latest transactions took, in seconds, in no order.
    public private(set) var commitSeconds: [Double] = []
    /// From the sending of an assignment until its result lasted, in seconds; only when asked for.
    public private(set) var roundTripSeconds: [Double] = []
    /// When the first assignment was sent, and when the latest result was made to last.
    public private(set) var firstAssigned: Instant?
    public private(set) var lastStored: Instant?

    /// Attempts that ended without a result, results that disagreed, and frames that were no
    /// messages.
    public private(set) var failures = 0
    public private(set) var disagreements = 0
    public private(set) var framesRefused = 0
    /// Results a second, over the last ten seconds or so.
    public private(set) var resultsPerSecond = 0.0
    let started = Instant.now()

    private let tracesRoundTrips: Bool
    private var rateSamples: [(at: Instant, results: Int)] = []
    private var assigned: [Lease: Instant] = [:]
    private var unsent: [Lease] = []
    private static let samplesMax = 4_096

    /// - Parameter tracesRoundTrips: Whether to time every single lease, which costs memory.
    public init(tracesRoundTrips: Bool = false) { self.tracesRoundTrips = tracesRoundTrips }

    mutating func noteAssigned(_ lease: Lease) {
        if tracesRoundTrips || firstAssigned == nil { unsent.append(lease) }
    }

    /// What was assigned is on its way.
    mutating func noteSent(at now: Instant) {
        guard !unsent.isEmpty else { return }
        firstAssigned = firstAssigned ?? now
        if tracesRoundTrips { for lease in unsent { assigned[lease] = now } }
        unsent.removeAll(keepingCapacity: true)
    }

    mutating func noteCommit(_ changes: [StoreChange], from start: Instant, to end: Instant) {
        if commitSeconds.count < Self.samplesMax {
            commitSeconds.append(end.seconds(since: start))
        } else {
            commitSeconds[commits % Self.samplesMax] = end.seconds(since: start)
        }
        commits += 1
        for change in changes {
            switch change {
            case .accepted(let lease, _, _):
                resultsStored += 1
                lastStored = end
                if tracesRoundTrips, let sent = assigned.removeValue(forKey: lease) {
                    roundTripSeconds.append(end.seconds(since: sent))
                }
            case .attemptFailed: failures += 1
            case .disagreement: disagreements += 1
            default: break
            }
        }
    }

    mutating func noteRefusedFrame() { framesRefused += 1 }

    /// Called a few times a second.
    mutating func noteTick(at now: Instant) {
        if let last = rateSamples.last, now.seconds(since: last.at) < 1 { return }
        rateSamples.append((now, resultsStored))
        if rateSamples.count > 11 { rateSamples.removeFirst() }
        let first = rateSamples[0]
        let seconds = now.seconds(since: first.at)
        resultsPerSecond = seconds > 0 ? Double(resultsStored - first.results) / seconds : 0
    }
}

/// Shares of samples.
public enum Quantile {
    /// The least sample that `share`, 0...1, of all do not exceed; `nil` without samples.
    public static func of(_ samples: [Double], _ share: Double) -> Double? {
        guard !samples.isEmpty else { return nil }
        let sorted = samples.sorted()
        let place = Int((share * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(max(place, 0), sorted.count - 1)]
    }
}
