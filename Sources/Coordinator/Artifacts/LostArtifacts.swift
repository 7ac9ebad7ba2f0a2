import FathomCore
public import FathomProtocol

/// Finds finished jobs whose files are gone though others still need them.
public enum LostArtifacts {
    /// Puts such jobs back, those they need themselves included.
    ///
    /// - Parameters:
    ///   - jobs: Dependencies before those who depend on them; states are changed in place.
    ///   - exists: Whether the file is there, whole as far as its length says.
    /// - Returns: What the store must be told.
    public static func reopen(
        _ jobs: inout [StoredJob], exists: (ArtifactReference) -> Bool
    ) -> [StoreChange] {
        var needed: Set<JobKey> = []
        var changes: [StoreChange] = []
        for index in jobs.indices.reversed() {
            if jobs[index].state == .finished, needed.contains(jobs[index].key),
                !jobs[index].artifacts.allSatisfy({ exists($0) })
            {
                jobs[index].state = .open
                jobs[index].artifacts = []
                let key = jobs[index].key
                changes.append(.jobReopened(key))
                changes.append(
                    .event(
                        kind: "artifactLost", subject: key.description,
                        detail: "its file is gone and is made again"))
            }
            if jobs[index].state == .open { needed.formUnion(jobs[index].spec.dependencies) }
        }
        return changes
    }

    /// The finished jobs that have to run again so that a job can make its file again: itself, and
    /// before it those whose files it reads and that are gone too.
    ///
    /// - Parameters:
    ///   - dependencies: The jobs that a job reads.
    ///   - isFinished: Whether a job is finished; one that is not runs anyway.
    ///   - isHere: Whether what a finished job has made is there, as far as its length says.
    public static func makersAgain(
        of key: JobKey, dependencies: (JobKey) -> [JobKey], isFinished: (JobKey) -> Bool,
        isHere: (JobKey) -> Bool
    ) -> [JobKey] {
        var found: [JobKey] = []
        var seen: Set<JobKey> = []
        func visit(_ key: JobKey) {
            guard seen.insert(key).inserted, isFinished(key) else { return }
            for input in dependencies(key) where !isHere(input) { visit(input) }
            found.append(key)
        }
        visit(key)
        return found
    }
}
