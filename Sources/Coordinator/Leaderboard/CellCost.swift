/// What a cell's jobs took, by kind. Differs from one execution to the next.
public struct CellCost: Sendable, Hashable {
    /// One kind of job.
    public struct Share: Sendable, Hashable {
        public var jobs: Int
        /// Measured, summed over jobs; a job that cells share counts in each.
        public var seconds: Double
        /// In forward passes of the whole network over the SAL images; 0 for other jobs.
        public var forwardEquivalents: Double

        public init(jobs: Int, seconds: Double, forwardEquivalents: Double) {
            self.jobs = jobs
            self.seconds = seconds
            self.forwardEquivalents = forwardEquivalents
        }
    }

    /// By the kind's name: `poison`, `train`, `sal`.
    public var kinds: [String: Share]

    public init(kinds: [String: Share] = [:]) { self.kinds = kinds }

    /// Seconds of all kinds.
    public var seconds: Double {
        kinds.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value.seconds }
    }

    /// Seconds of SAL for each second of training; `nil` without training.
    public var salPerTraining: Double? {
        guard let train = kinds["train"], train.seconds > 0 else { return nil }
        return (kinds["sal"]?.seconds ?? 0) / train.seconds
    }
}
