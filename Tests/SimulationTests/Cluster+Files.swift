import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker

// Files between coordinator and workers, and what becomes of them.

extension Cluster {
    /// What an assignment says that a job reads.
    func inputs(of key: JobKey) -> [InputArtifact] {
        guard script.losesFiles else { return [] }
        return (store.job(key)?.dependencies ?? []).map { input in
            InputArtifact(
                job: input, artifact: ArtifactReference(name: "a", digest: input.digest, bytes: 1))
        }
    }

    mutating func prepare(_ id: WorkerID, _ assignment: Assignment) {
        let lease = assignment.lease
        nodes[id]?.reading[lease] = Reading(inputs: assignment.inputs.map(\.job))
        timeline.plan(.fetch(id, lease), at: now + 0.2 * random.uniformDouble())
    }

    /// Fetches what is missing, as an agent does: what the coordinator does not have it asks for
    /// again, and gives up after a minute.
    mutating func fetch(_ id: WorkerID, _ lease: Lease) {
        guard var reading = nodes[id]?.reading[lease] else { return }
        guard scheduler != nil else { return timeline.plan(.fetch(id, lease), at: now + 1) }
        let missing = reading.inputs.filter { nodes[id]?.cache.contains($0) != true }
        nodes[id]?.cache.formUnion(missing.filter(store.files.contains))
        let gone = missing.filter { !store.files.contains($0) }
        guard !gone.isEmpty else { return tell(id, .inputsReady(lease)) }
        reading.absences += 1
        nodes[id]?.reading[lease] = reading
        guard reading.absences < 60 else {
            return tell(id, .inputsFailed(lease, error: "it does not come"))
        }
        timeline.plan(.fetch(id, lease), at: now + 1)
        for key in gone { timeline.plan(.fileMissed(key), at: now + 0.1 * random.uniformDouble()) }
    }

    /// The coordinator hears that somebody needs a file that is not there.
    mutating func fileMissed(_ key: JobKey) {
        guard let scheduler, scheduler.isNeeded(key) else { return }
        let makers = LostArtifacts.makersAgain(
            of: key, dependencies: { store.job($0)?.dependencies ?? [] },
            isFinished: scheduler.isFinished, isHere: store.files.contains)
        for maker in makers { tell(.artifactLost(maker)) }
    }

    /// Many files at the coordinator are damaged at once, or all; workers' copies go too, at times.
    mutating func loseFiles() {
        let share = random.uniform() < 0.5 ? 1.0 : 0.5
        for key in store.files.sorted() where random.uniformDouble() < share {
            store.files.remove(key)
        }
        for id in nodes.keys.sorted() where random.uniform() < 0.5 { nodes[id]?.cache = [] }
    }

    /// Whether a slot finds a file of a job damaged; then it is fetched again.
    mutating func cannotRead(_ id: WorkerID, _ lease: Lease) -> Bool {
        guard script.losesFiles, isFaulty, random.uniform() < 0.05,
            let input = nodes[id]?.reading[lease]?.inputs.randomElement(&random)
        else { return false }
        nodes[id]?.cache.remove(input)
        timeline.plan(.fetch(id, lease), at: now + 0.2 * random.uniformDouble())
        return true
    }
}
