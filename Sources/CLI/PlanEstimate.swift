import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// What a plan's jobs cost: on one core of the built-in engine, and on one device of each runner.
struct PlanEstimate {
    let jobs: [ForecastJob]
    let text: String

    /// Who computes, and what: hours are added up for each.
    fileprivate struct Engine: Hashable {
        /// Such as `torch on cuda`; `nil`: the built-in engine.
        var runner: String?
        var kind: JobSpec.Kind
    }

    /// - Parameters:
    ///   - costs: As measured elsewhere; `nil` works them out.
    ///   - networks: What the jobs' networks compute.
    init(_ plan: SweepPlan, costs: CostModel?, networks: NetworkCosts) {
        let model = costs ?? CostModel()
        let speeds = Self.speeds(plan, model, networks)
        var hours: [Engine: Double] = [:]
        var unknown: Set<String> = []
        jobs = plan.jobs.map { planned in
            let spec = planned.spec
            let engine = Engine(spec)
            let multiplyAdds = networks.multiplyAdds(of: spec)
            let passes = networks.forwardPasses(of: spec)
            var seconds = model.secondsPerEntry(
                costClass: spec.costClass, forwardPasses: passes,
                multiplyAdds: engine.runner == nil ? multiplyAdds : nil)
            if seconds == nil, let speed = speeds[engine], let multiplyAdds {
                seconds = Double(multiplyAdds) * passes * speed
            }
            if seconds == nil { unknown.insert(spec.costClass) }
            // Points of a landscape are leased as ranges, just like layers.
            let kind = spec.kind == .landscape ? .sal : spec.kind
            let job = SchedulerJob(
                key: planned.key, kind: kind, costClass: spec.costClass,
                dependencies: spec.dependencies, entryCount: planned.entryCount)
            hours[engine, default: 0] += (seconds ?? 0) * Double(planned.entryCount) / 3_600
            return ForecastJob(
                job, secondsPerEntry: seconds ?? 0,
                artifactBytes: networks.artifactBytes(of: spec))
        }
        text = Self.text(hours, unknown: unknown, isMeasured: costs != nil)
    }

    /// Seconds a multiply-add of each runner, as its measured networks have it on average.
    private static func speeds(
        _ plan: SweepPlan, _ model: CostModel, _ networks: NetworkCosts
    ) -> [Engine: Double] {
        var found: [Engine: [String: Double]] = [:]
        for planned in plan.jobs where planned.spec.runner != nil {
            let costClass = planned.spec.costClass
            guard let measured = model.secondsPerPass[costClass],
                let multiplyAdds = networks.multiplyAdds(of: planned.spec), multiplyAdds > 0
            else { continue }
            found[Engine(planned.spec), default: [:]][costClass] = measured / Double(multiplyAdds)
        }
        return found.mapValues { $0.values.reduce(0, +) / Double($0.count) }
    }

    private static func text(
        _ hours: [Engine: Double], unknown: Set<String>, isMeasured: Bool
    ) -> String {
        let runners = Set(hours.keys.compactMap(\.runner)).sorted()
        let how =
            isMeasured
            ? "by measured costs"
            : "by arithmetic at 5 GMAC/s a core; --costs STORE goes by measured ones"
        var lines = ["\(sum(hours, of: nil, "core-hours")), \(how)"]
        for runner in runners {
            let total = hours.filter { $0.key.runner == runner }.values.reduce(0, +)
            lines.append(
                total > 0
                    ? sum(hours, of: runner, "hours of \(runner)")
                    : "hours of \(runner): not known; --costs STORE with a finished sweep of it, "
                        + "however small, tells")
        }
        if !unknown.isEmpty {
            lines.append("not counted: \(unknown.sorted().joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }

    private static func sum(_ hours: [Engine: Double], of runner: String?, _ unit: String) -> String
    {
        let own = hours.filter { $0.key.runner == runner }
        let parts = JobSpec.Kind.allCases.compactMap { kind in
            own[Engine(runner: runner, kind: kind)].flatMap {
                $0 > 0 ? "\(kind.rawValue) \(String(format: "%.2f", $0))" : nil
            }
        }
        let total = String(format: "%.2f", own.values.reduce(0, +))
        return "about \(total) \(unit)"
            + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    }
}

extension PlanEstimate.Engine {
    init(_ spec: JobSpec) {
        runner = spec.runner.map { "\($0.name) on \($0.device)" }
        kind = spec.kind
    }
}
