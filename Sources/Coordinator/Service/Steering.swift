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
    /// Holds a job back, and lets it go on.
    case pause(JobKey)
    case resume(JobKey)
    /// Throws a job's results away.
    case forget(JobKey)

    var event: SchedulerEvent {
        switch self {
        case .retry(let key): .retry(key)
        case .cancel(let key): .cancel(key)
        case .pause(let key): .pause(key)
        case .resume(let key): .resume(key)
        case .forget(let key): .forget(key)
        }
    }

    /// One line of the control socket.
    var line: String {
        switch self {
        case .retry(let key): "retry \(key)"
        case .cancel(let key): "cancel \(key)"
        case .pause(let key): "pause \(key)"
        case .resume(let key): "resume \(key)"
        case .forget(let key): "forget \(key)"
        }
    }

    /// - Returns: `nil` for what is no such line.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2, let digest = Digest(hex: String(words[1])) else { return nil }
        switch words[0] {
        case "retry": self = .retry(JobKey(digest))
        case "cancel": self = .cancel(JobKey(digest))
        case "pause": self = .pause(JobKey(digest))
        case "resume": self = .resume(JobKey(digest))
        case "forget": self = .forget(JobKey(digest))
        default: return nil
        }
    }
}

/// How many jobs steering has changed.
public struct SteeringResult: Sendable, Hashable {
    public var reopened = 0
    public var givenUp = 0
    public var paused = 0
    public var resumed = 0
    public var forgotten = 0

    init(_ effects: [SchedulerEffect] = []) { add(effects) }

    mutating func add(_ other: SteeringResult) {
        reopened += other.reopened
        givenUp += other.givenUp
        paused += other.paused
        resumed += other.resumed
        forgotten += other.forgotten
    }

    mutating func add(_ effects: [SchedulerEffect]) {
        for effect in effects {
            switch effect {
            case .store(.jobReopened): reopened += 1
            case .store(.jobQuarantined), .store(.jobBlocked): givenUp += 1
            case .store(.jobPaused): paused += 1
            case .store(.jobResumed): resumed += 1
            case .store(.jobForgotten): forgotten += 1
            default: break
            }
        }
    }

    /// One line of the control socket.
    var line: String { "done \(reopened) \(givenUp) \(paused) \(resumed) \(forgotten)" }

    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        let counts = words.dropFirst().compactMap { Int($0) }
        guard words.count == 6, words[0] == "done", counts.count == 5 else { return nil }
        (reopened, givenUp) = (counts[0], counts[1])
        (paused, resumed, forgotten) = (counts[2], counts[3], counts[4])
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
