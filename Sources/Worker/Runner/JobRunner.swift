public import FathomCore
public import FathomProtocol

/// What a job may use of the slot it runs in.
public struct RunContext {
    /// Where data sets lie, as `--data` says; `nil` for the usual places of the system.
    public var dataFolder: String?
    /// The file of an input artifact, by the job that made it and the artifact's name.
    public var input: (JobKey, String) throws -> String
    /// The file with the content of this digest, which was put there before the sweep began.
    public var imported: (Digest) throws -> String
    /// Takes a finished artifact's bytes and answers how it is called from now on.
    public var keep: (String, [UInt8]) throws -> ArtifactReference
    /// Reports that a share, 0...1, of the lease is done. Cheap; may be called often.
    public var progress: (Double) -> Void

    public init(
        dataFolder: String?, input: @escaping (JobKey, String) throws -> String,
        keep: @escaping (String, [UInt8]) throws -> ArtifactReference,
        progress: @escaping (Double) -> Void,
        imported: @escaping (Digest) throws -> String = { digest in
            throw RunnerError.artifactMisfits(
                "imported file",
                reason: "nothing was imported here, and \(digest.short) is asked for")
        }
    ) {
        self.dataFolder = dataFolder
        self.input = input
        self.keep = keep
        self.imported = imported
        self.progress = progress
    }
}

/// Turns one lease into calls on the core. Runs on the slot's one thread; keeps what it has
/// decoded for the next job.
public protocol JobRunner: AnyObject {
    /// - Parameter entries: Which entries of the job to do; `0..<1` for kinds without entries.
    /// - Throws: An error whose description tells a user what is wrong and what would be right.
    func run(_ spec: JobSpec, entries: Range<Int>, context: RunContext) throws -> JobOutcome
}
