import FathomCore
import FathomCoordinator
import FathomProtocol

/// Jobs and outcomes that depend on nothing but their names.
enum Samples {
    static func key(_ name: String) -> JobKey { JobKey(Digest(of: Array(name.utf8))) }

    /// Runs of a poison, three training segments, and SAL of seven layers after each.
    static func sweep(runs: Int) -> [SchedulerJob] {
        (0..<runs).flatMap { run -> [SchedulerJob] in
            let poison = key("poison \(run)")
            var jobs = [job("poison \(run)", .poison, [])]
            var before: [JobKey] = []
            for segment in 0..<3 {
                let name = "train \(run) \(segment)"
                jobs.append(job(name, .train, [poison] + before))
                before = [key(name)]
                jobs.append(job("sal \(run) \(segment)", .sal, [poison] + before, entries: 7))
            }
            return jobs
        }
    }

    static func job(
        _ name: String, _ kind: JobSpec.Kind, _ dependencies: [JobKey], entries: Int = 1
    ) -> SchedulerJob {
        SchedulerJob(
            key: key(name), kind: kind, costClass: kind.rawValue, dependencies: dependencies,
            entryCount: entries)
    }

    /// What an entry takes where nothing is left to chance: what the scheduler guesses at first.
    static func steadySeconds(_ kind: JobSpec.Kind) -> Double {
        switch kind {
        case .poison: 20
        case .train: 30
        case .sal: 2
        case .landscape, .probe: 0.1
        }
    }

    static func outcome(of lease: Lease, kind: JobSpec.Kind) -> JobOutcome {
        guard kind == .sal else { return JobOutcome(seconds: 0.5) }
        let rows = lease.entries.map { entry in
            SALRow(layerIndex: entry, measurement: measurement(lease.job, entry))
        }
        return JobOutcome(sal: rows, seconds: 0.1 * Double(rows.count))
    }

    private static func measurement(_ job: JobKey, _ entry: Int) -> SALMeasurement {
        let value = Double(Digest(of: Array("\(job) \(entry)".utf8)).hex.utf8.first ?? 0)
        return SALMeasurement(
            layer: "layer\(entry)", weightCount: 1, weightNorm: 1, originLoss: 1,
            originAccuracy: 1, down: SALWalk(), up: SALWalk(), sMax: value, sMin: 0, sal: value,
            salAccuracy: 0, flag: nil, forwardEquivalents: 1)
    }
}
