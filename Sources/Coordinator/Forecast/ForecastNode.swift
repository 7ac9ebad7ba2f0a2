import FathomCore
import FathomProtocol

/// One machine of a forecast.
struct ForecastNode: Sendable {
    private let cores: Int
    var waiting: [Lease] = []
    private var head = 0
    var running: [Lease] = []
    /// Jobs whose artifacts lie here.
    var present: Set<Int> = []

    init(cores: Int) { self.cores = cores }

    /// The lease that the next free core takes; `nil` without a free core or without work.
    mutating func startNext() -> Lease? {
        guard running.count < cores, head < waiting.count else { return nil }
        let lease = waiting[head]
        head += 1
        running.append(lease)
        if head > 4_096 {
            waiting.removeFirst(head)
            head = 0
        }
        return lease
    }

    /// What it says that it holds.
    var inventory: [LeaseProgress] {
        (running + waiting[head...]).map { LeaseProgress(lease: $0, share: 0) }
    }
}

extension ForecastJob {
    /// What a worker would answer, as far as the scheduler looks at it.
    func outcome(of lease: Lease) -> JobOutcome {
        let seconds = secondsPerEntry * Double(lease.entries.count)
        guard job.kind == .sal else { return JobOutcome(seconds: seconds) }
        return JobOutcome(
            sal: lease.entries.map { SALRow(layerIndex: $0, measurement: Self.nothing) },
            seconds: seconds)
    }

    private static let nothing = SALMeasurement(
        layer: "", weightCount: 1, weightNorm: 1, originLoss: 0, originAccuracy: 0,
        down: SALWalk(), up: SALWalk(), sMax: 0, sMin: 0, sal: 0, salAccuracy: 0, flag: nil,
        forwardEquivalents: 0)
}
