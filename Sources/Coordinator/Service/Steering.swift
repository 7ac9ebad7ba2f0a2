import FathomCore
public import FathomProtocol
import FathomMessaging
import Synchronization

/// What a user may ask of a sweep, whether its coordinator runs or not.
public enum SteeringCommand: Sendable, Hashable {
    /// Puts a given-up job back, and what waited for it.
    case retry(JobKey)
    /// Gives a job up.
    case cancel(JobKey)

    var event: SchedulerEvent {
        switch self {
        case .retry(let key): .retry(key)
        case .cancel(let key): .cancel(key)
        }
    }

    /// One line of the control socket.
    var line: String {
        switch self {
        case .retry(let key): "retry \(key)"
        case .cancel(let key): "cancel \(key)"
        }
    }

    /// - Returns: `nil` for what is no such line.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2, let digest = Digest(hex: String(words[1])) else { return nil }
        switch words[0] {
        case "retry": self = .retry(JobKey(digest))
        case "cancel": self = .cancel(JobKey(digest))
        default: return nil
        }
    }
}

/// How many jobs steering has changed.
public struct SteeringResult: Sendable, Hashable {
    public var reopened = 0
    public var givenUp = 0

    init(_ effects: [SchedulerEffect] = []) { add(effects) }

    mutating func add(_ effects: [SchedulerEffect]) {
        for effect in effects {
            switch effect {
            case .store(.jobReopened): reopened += 1
            case .store(.jobQuarantined), .store(.jobBlocked): givenUp += 1
            default: break
            }
        }
    }

    /// One line of the control socket.
    var line: String { "done \(reopened) \(givenUp)" }

    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "done", let reopened = Int(words[1]),
            let givenUp = Int(words[2])
        else { return nil }
        self.reopened = reopened
        self.givenUp = givenUp
    }
}

/// Steers a sweep whose coordinator does not run.
public enum OfflineSteering {
    /// Decides as a coordinator would, and stores what follows.
    public static func apply(
        _ commands: [SteeringCommand], to sweep: SweepID, of store: Store
    ) throws(StoreError) -> SteeringResult {
        let jobs = try store.jobs(of: sweep).map { SchedulerJob($0) }
        var scheduler = Scheduler(settings: SchedulerSettings(term: 0, build: ""), jobs: jobs)
        var result = SteeringResult()
        var changes: [StoreChange] = []
        for command in commands {
            let effects = scheduler.handle(command.event, at: Instant(nanoseconds: 0))
            result.add(effects)
            for case .store(let change) in effects { changes.append(change) }
        }
        try store.apply(changes)
        return result
    }
}

/// Commands from another thread, which waits for their result.
final class SteeringRequest: Sendable {
    let commands: [SteeringCommand]
    private let answer: BoundedQueue<SteeringResult> = BoundedQueue(capacity: 1)

    init(_ commands: [SteeringCommand]) { self.commands = commands }

    func finish(_ result: SteeringResult) { _ = answer.put(result, within: .zero) }

    /// What came of it; `nil` when the coordinator did not get to it.
    func wait(seconds: Int64) -> SteeringResult? {
        answer.take(atMost: 1, within: .seconds(seconds)).first
    }
}
