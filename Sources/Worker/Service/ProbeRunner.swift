public import FathomProtocol
import Glibc

/// Runs probe jobs itself and leaves all others to the runner it was given.
public final class ProbeRunner: JobRunner {
    private let other: (any JobRunner)?

    public init(otherwise other: (any JobRunner)?) { self.other = other }

    public func run(
        _ spec: JobSpec, entries: Range<Int>, context: RunContext
    ) throws -> JobOutcome {
        guard case .probe(let probe) = spec.body else {
            guard let other else { throw ProbeError.unsupported(kind: spec.kind) }
            return try other.run(spec, entries: entries, context: context)
        }
        switch probe.conduct {
        case .succeed: break
        case .fail: throw ProbeError.asked(number: probe.number)
        // Like a slot that the system ends for its memory; no handler of ours gets to see it.
        case .crash: kill(getpid(), SIGKILL)
        case .hang: while true { sleep(1) }
        }
        let row = MetricRow(
            epoch: 1, task: "probe", split: "test", name: "number", value: Double(probe.number))
        return JobOutcome(metrics: [row])
    }
}

/// What a probe job says when it fails, and what all others say where nothing can run them.
public enum ProbeError: Error, CustomStringConvertible {
    case asked(number: Int)
    case unsupported(kind: JobSpec.Kind)

    public var description: String {
        switch self {
        case .asked(let number): "probe \(number) was asked to fail"
        case .unsupported(let kind): "this worker cannot run jobs of kind \(kind.rawValue)"
        }
    }
}
