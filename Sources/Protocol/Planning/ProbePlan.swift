/// Sweeps of probes: for benches of the machinery, and tests of what it does when jobs misbehave.
public enum ProbePlan {
    /// - Parameter counts: How many probes there are of each conduct, in this order.
    public static func plan(_ counts: [(ProbeSpec.Conduct, Int)]) -> SweepPlan {
        let jobs = counts.flatMap { conduct, count in
            (0..<count).map {
                CanonicalJob.probe(ProbeSpec(number: $0, conduct: conduct), revision: 1)
            }
        }
        return SweepPlan(
            name: "probes", manifest: "{}", cells: [], jobs: jobs, comparison: ComparisonSettings())
    }
}
