import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation

/// What happens to a simulated cluster, apart from chance.
struct Script {
    var workers: Int
    var runs = 3
    /// After how many simulated seconds nothing new goes wrong.
    var healAfter: Double
    var networkFails = true
    var workersCrash = true
    var coordinatorsCrash = true
    /// Whether processes stand still for a while, or wait for a full disk.
    var standstills = true
    /// Whether workers stand still too, not only the coordinator.
    var stops = true
    /// Whether users pause, forget and cancel jobs, and take it back.
    var steers = false
    /// Whether workers' machines are theirs for a minute or two.
    var workersEnd = false
    /// Whether jobs take just what they are thought to take.
    var isSteady = false
    /// Whether files of finished jobs are lost while others still read them.
    var losesFiles = false
    var speculates = true
    var auditShare = 0.0
    /// Jobs that fail, and jobs that take their slot along.
    var failing: Set<JobKey> = []
    var killing: Set<JobKey> = []
    /// Faults planted in the machines.
    var scheduler: SchedulerSabotage?
    var session: SessionSabotage?

    var guilty: Set<JobKey> { failing.union(killing) }

    /// One of the scripts that a seed chooses.
    init(seed: Int) {
        let guilty = Samples.key("train 1 1")
        switch seed % 9 {
        case 0:
            self.init(workers: 4, healAfter: 240)
        case 1:
            self.init(workers: 4, healAfter: 120)
            auditShare = seed % 18 < 9 ? 1 : 0.3
        case 2:
            self.init(workers: 3, healAfter: 120)
            if seed % 18 < 9 { failing = [guilty] } else { killing = [guilty] }
        case 3:
            // Only coordinators die: nothing in flight may be begun a second time.
            self.init(workers: 3, healAfter: 120)
            networkFails = false
            workersCrash = false
            standstills = false
            speculates = false
        case 4:
            self.init(workers: 3, healAfter: 120)
            steers = true
        case 5:
            self.init(workers: 3, healAfter: 120)
            workersEnd = true
        case 6:
            // Workers end, and all else goes well: nothing may be begun that is not finished.
            self.init(workers: 3, healAfter: 0)
            networkFails = false
            workersCrash = false
            coordinatorsCrash = false
            standstills = false
            speculates = false
            workersEnd = true
            isSteady = true
        case 7:
            // Often one worker, with one slot, must make again what its other jobs wait for.
            self.init(workers: seed % 18 < 9 ? 1 : 3, healAfter: 120)
            losesFiles = true
        default:
            // Only workers die: what they have on disk may not be computed again.
            self.init(workers: 2, healAfter: 120)
            networkFails = false
            coordinatorsCrash = false
            stops = false
            speculates = false
        }
    }

    init(workers: Int, healAfter: Double) {
        self.workers = workers
        self.healAfter = healAfter
    }

    /// Plays the script and answers what was wrong.
    func problems(seed: Int) -> [String] {
        var cluster = Cluster(self, seed: UInt64(seed))
        cluster.run(untilCompleteWithin: 3_600)
        var found = cluster.problems
        if !cluster.isComplete { found.append("not complete after an hour") }
        if found.isEmpty { found += wrongEnds(of: cluster.store.jobs) }
        if !networkFails && !coordinatorsCrash && cluster.repeatedSpooled > 0 {
            found.append("\(cluster.repeatedSpooled) results on disk were computed again")
        }
        if auditShare == 1, found.isEmpty {
            let missed = cluster.store.jobs.count { $0.state == .finished && !$0.isAudited }
            if missed > 0 { found.append("\(missed) jobs were not audited") }
        }
        if !networkFails && !workersCrash {
            let repeated = cluster.started.values.flatMap(\.values).count { $0 != 1 }
            if repeated > 0 { found.append("\(repeated) entries were begun again") }
        }
        return found
    }

    /// What fails is given up, what needs it is blocked, and the rest is finished.
    private func wrongEnds(of jobs: [SchedulerJob]) -> [String] {
        let blocked = Set(["sal 1 1", "train 1 2", "sal 1 2"].map(Samples.key))
        return jobs.compactMap { job in
            let expected: StoredJob.State =
                guilty.contains(job.key)
                ? .quarantined
                : !guilty.isEmpty && blocked.contains(job.key) ? .blocked : .finished
            return job.state == expected
                ? nil : "job \(job.key.digest.short) is \(job.state), not \(expected)"
        }
    }
}

/// Which seeds to play, and how to play one again.
enum Seeds {
    /// So many seeds make one test case.
    static let perCase = 50

    /// 1,000 seeds, 10,000 when long tests are asked for, or the one that `FATHOM_SEED` names.
    static let cases: [Range<Int>] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["FATHOM_SEED"].flatMap(Int.init) { return [seed..<seed + 1] }
        let count = environment["FATHOM_SLOW"] == "1" ? 10_000 : 1_000
        return stride(from: 0, to: count, by: perCase).map { $0..<min($0 + perCase, count) }
    }()

    static func replay(_ seed: Int) -> String {
        "replay with `FATHOM_SEED=\(seed) make test-simulation` at revision \(revision)"
    }

    /// The commit that the sources lie at.
    private static let revision: String = {
        let git =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path + "/.git/"
        guard let head = text(git + "HEAD") else { return "unknown" }
        guard head.hasPrefix("ref: ") else { return head }
        return text(git + head.dropFirst(5)) ?? head
    }()

    private static func text(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
