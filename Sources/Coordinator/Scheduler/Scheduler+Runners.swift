import FathomCore
import FathomProtocol

// Jobs that ask for a runner go to workers that have it.

/// What jobs of one kind ask of a worker beside a slot.
struct RunnerNeed: Hashable, Sendable {
    let runner: RunnerReference
    let kind: RunnerReference.Kind

    init?(_ job: SchedulerJob) {
        guard let runner = job.runner else { return nil }
        self.runner = runner.identity
        kind = RunnerReference.Kind(job.kind)
    }

    /// Such as `train torch revision 1 on cuda`; explanations look for it.
    var text: String { "\(kind.rawValue) \(runner.text)" }
}

extension Scheduler {
    /// The line a job stands in: the built-in engine's is the first.
    func line(of job: Int) -> Int { table.jobs[job].runner.map { $0 + 1 } ?? 0 }

    /// Whether a worker has all that a job asks for, as far as we know.
    func lacks(_ worker: Int, for job: Int) -> Bool {
        lacks(worker, dataOf: job) || !workers[worker].lines.contains(line(of: job))
    }

    /// Works out which lines a worker may take from, and keeps for `explain` why not others.
    ///
    /// - Parameter isNew: Whether it has just come; a worker says hello more than once.
    mutating func noteRunners(of worker: Int, _ facts: WorkerFacts, isNew: Bool) {
        var lines = facts.computesAll ? [0] : []
        for (index, need) in table.runners.enumerated() {
            let lacking = reasonUnfit(facts, for: need)
            if lacking == nil { lines.append(index + 1) }
            guard isNew else { continue }
            effects.append(
                .store(
                    .event(
                        kind: lacking == nil ? Self.runnerFits : Self.runnerLacking,
                        subject: workers[worker].id.text,
                        detail: need.text + ": " + (lacking ?? "it has it"))))
        }
        workers[worker].lines = lines
    }

    private func reasonUnfit(_ facts: WorkerFacts, for need: RunnerNeed) -> String? {
        let named = facts.runners.filter { $0.name == need.runner.name }
        guard let nearest = named.first else { return "it has no runner \(need.runner.name)" }
        guard named.contains(where: { $0.fits(need.runner, need.kind) }) else {
            let kinds = nearest.kinds.map(\.rawValue).joined(separator: ", ")
            return "it has \(nearest.text) for \(kinds)"
        }
        return WorkerTags.lacking(settings.runnerNeeds[need.runner] ?? [], among: facts.tags)
            .map { "it lacks the tag \($0)" }
    }

    /// Kinds of events that the command line looks for.
    static let runnerFits = "runnerFits"
    static let runnerLacking = "runnerLacking"
}

extension WorkerFacts {
    /// Whether it computes jobs of the built-in engine too, and so must be of the sweep's
    /// numeric class.
    var computesAll: Bool { !tags.contains(Self.runnersOnly) }

    private static let runnersOnly = "runners-only"
}
