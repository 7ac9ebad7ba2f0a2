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
}
