public import FathomCore
public import FathomProtocol

/// Decides which files of finished jobs may go.
///
/// Poisons stay as long as there is room for them; checkpoints and unfinished craftings stay as
/// `keep` says. What an open job reads stays in any case.
public struct ArtifactKeeping: Sendable {
    public var keep: CheckpointKeeping
    /// The most bytes of all files together; `nil`: as many as there are.
    public var bytesMax: Int?

    public init(keep: CheckpointKeeping, bytesMax: Int? = nil) {
        self.keep = keep
        self.bytesMax = bytesMax
    }

    /// A finished job's files.
    public struct Holding: Sendable {
        public var artifacts: [ArtifactReference]
        public var isNeeded: Bool
        public var rank: Rank

        public init(artifacts: [ArtifactReference], isNeeded: Bool, rank: Rank) {
            self.artifacts = artifacts
            self.isNeeded = isNeeded
            self.rank = rank
        }
    }

    /// How dear files are; the cheaper go first.
    public enum Rank: Sendable, Hashable, Comparable {
        /// What a crafting went on from.
        case crafting
        /// A checkpoint that is not its run's last, by its epoch.
        case checkpoint(epoch: Int)
        case lastCheckpoint(epoch: Int)
        case poison
    }

    /// The files that may go, the cheapest first.
    ///
    /// - Parameter holdings: Of all finished jobs, files that are gone already left out.
    public func removable(_ holdings: [Holding]) -> [Digest] {
        var wanted: Set<Digest> = []
        var sizes: [Digest: Int] = [:]
        for holding in holdings {
            for artifact in holding.artifacts {
                sizes[artifact.digest] = artifact.bytes
                if holding.isNeeded || !mayGo(holding.rank) { wanted.insert(artifact.digest) }
            }
        }
        // Equal files of several jobs are one file.
        var chosen = sizes.keys.filter { !wanted.contains($0) }.sorted()
        guard let bytesMax else { return chosen }
        var bytes = sizes.values.reduce(0, +) - chosen.reduce(0) { $0 + (sizes[$1] ?? 0) }
        var taken = Set(chosen)
        let needed = Set(holdings.filter(\.isNeeded).flatMap { $0.artifacts.map(\.digest) })
        for holding in holdings.sorted(by: { $0.rank < $1.rank }) where bytes > bytesMax {
            for artifact in holding.artifacts
            where !needed.contains(artifact.digest) && taken.insert(artifact.digest).inserted {
                chosen.append(artifact.digest)
                bytes -= artifact.bytes
            }
        }
        return chosen
    }

    private func mayGo(_ rank: Rank) -> Bool {
        switch (keep, rank) {
        case (.measured, _), (_, .poison), (.last, .lastCheckpoint): false
        case (.last, _), (.none, _): true
        }
    }
}

extension ArtifactKeeping.Rank {
    /// How dear what a job made is.
    ///
    /// - Parameter continued: Jobs that a later segment goes on from.
    public init(_ spec: JobSpec, key: JobKey, continued: Set<JobKey>) {
        switch spec.body {
        case .train(let train):
            self =
                continued.contains(key)
                ? .checkpoint(epoch: train.lastEpoch) : .lastCheckpoint(epoch: train.lastEpoch)
        case .poison(let poison):
            self = poison.rounds != nil && continued.contains(key) ? .crafting : .poison
        case .sal, .landscape, .probe: self = .poison
        }
    }

    /// The jobs that others go on from.
    public static func continued(in specs: [JobSpec]) -> Set<JobKey> {
        Set(
            specs.compactMap { spec in
                switch spec.body {
                case .train(let train): train.previous
                case .poison(let poison): poison.previous
                case .sal, .landscape, .probe: nil
                }
            })
    }
}
