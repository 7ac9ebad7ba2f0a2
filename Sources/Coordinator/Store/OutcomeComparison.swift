import FathomCore
public import FathomProtocol

/// Tells whether two outcomes of one job agree: every bit but the seconds, or within what a runner
/// that is not deterministic declares.
public enum OutcomeComparison {
    /// The first thing that differs, in words; `nil` when the outcomes agree.
    ///
    /// Numbers that are none count as equal to each other, because the store keeps a flag in
    /// their place.
    public static func difference(accepted: JobOutcome, late: JobOutcome) -> String? {
        if let tolerance = late.tolerance {
            return difference(accepted: accepted, late: late, within: tolerance)
        }
        return metrics(accepted.metrics, late.metrics)
            ?? salRows(accepted.sal, late.sal)
            ?? points(accepted.landscape, late.landscape)
            ?? planes(accepted.plane, late.plane)
            ?? artifacts(accepted.artifacts, late.artifacts)
            ?? reports(accepted.poison, late.poison)
    }

    private static func same(_ left: Double?, _ right: Double?) -> Bool {
        let kept = (left?.finite, right?.finite)
        return kept.0?.bitPattern == kept.1?.bitPattern
    }

    private static func told(_ what: String, _ left: Double?, _ right: Double?) -> String? {
        func text(_ value: Double?) -> String { value?.finite.map { "\($0)" } ?? "no number" }
        return same(left, right)
            ? nil : "\(what): \(text(left)) was accepted, \(text(right)) came later"
    }

    private static func counts(_ what: String, _ left: Int, _ right: Int) -> String? {
        left == right ? nil : "\(what): \(left) were accepted, \(right) came later"
    }

    private static func metrics(_ left: [MetricRow], _ right: [MetricRow]) -> String? {
        func name(_ row: MetricRow) -> String {
            "epoch \(row.epoch) \(row.task) \(row.split) \(row.name)"
        }
        if let difference = counts("metric rows", left.count, right.count) { return difference }
        let values = Dictionary(right.map { (name($0), $0.value) }, uniquingKeysWith: { $1 })
        for row in left {
            guard let value = values[name(row)] else { return "\(name(row)) did not come later" }
            if let difference = told(name(row), row.value, value) { return difference }
        }
        return nil
    }

    private static func salRows(_ left: [SALRow], _ right: [SALRow]) -> String? {
        if let difference = counts("SAL rows", left.count, right.count) { return difference }
        let later = Dictionary(
            right.map { ($0.entry, $0) }, uniquingKeysWith: { $1 })
        for row in left {
            guard let other = later[row.entry] else {
                return "layer \(row.measurement.layer) did not come later"
            }
            if row.layerIndex != other.layerIndex || row.filter != other.filter {
                return "entry \(row.entry): \(place(row)) was accepted, \(place(other)) came later"
            }
            if let difference = measurements(row.measurement, other.measurement) {
                return difference
            }
        }
        return nil
    }

    private static func place(_ row: SALRow) -> String {
        "layer \(row.layerIndex)" + (row.filter.map { " filter \($0)" } ?? "")
    }

    private static func measurements(
        _ left: SALMeasurement, _ right: SALMeasurement
    ) -> String? {
        if left.layer != right.layer || left.weightCount != right.weightCount {
            return "layer \(left.layer) was accepted, \(right.layer) came later"
        }
        let pairs: [(String, Double, Double)] = [
            ("sal", left.sal, right.sal), ("sMax", left.sMax, right.sMax),
            ("sMin", left.sMin, right.sMin), ("salAccuracy", left.salAccuracy, right.salAccuracy),
            ("originLoss", left.originLoss, right.originLoss),
            ("originAccuracy", left.originAccuracy, right.originAccuracy),
            ("weightNorm", left.weightNorm, right.weightNorm),
            ("forwardEquivalents", left.forwardEquivalents, right.forwardEquivalents),
        ]
        for (what, ours, theirs) in pairs {
            if let difference = told("\(left.layer) \(what)", ours, theirs) { return difference }
        }
        return walks("\(left.layer) down", left.down, right.down)
            ?? walks("\(left.layer) up", left.up, right.up)
    }

    private static func walks(_ what: String, _ left: SALWalk, _ right: SALWalk) -> String? {
        let pairs = [
            (left.losses, right.losses), (left.accuracies, right.accuracies),
            (left.radii, right.radii),
        ]
        for (ours, theirs) in pairs {
            if let difference = counts("\(what) steps", ours.count, theirs.count) {
                return difference
            }
            for (step, (mine, other)) in zip(ours, theirs).enumerated() {
                if let difference = told("\(what) step \(step + 1)", mine, other) {
                    return difference
                }
            }
        }
        return left.reachedAt == right.reachedAt && left.diverged == right.diverged
            ? nil : "\(what): the walks ended differently"
    }

    private static func artifacts(
        _ left: [ArtifactReference], _ right: [ArtifactReference]
    ) -> String? {
        if let difference = counts("artifacts", left.count, right.count) { return difference }
        for (ours, theirs) in zip(
            left.sorted { $0.name < $1.name }, right.sorted { $0.name < $1.name })
        where ours != theirs {
            return "\(ours.name) \(ours.digest.short) was accepted, "
                + "\(theirs.name) \(theirs.digest.short) came later"
        }
        return nil
    }

    private static func reports(_ left: PoisonReport?, _ right: PoisonReport?) -> String? {
        guard let left, let right else {
            return (left == nil) == (right == nil) ? nil : "only one outcome reports on a poison"
        }
        for name in Set(left.numbers.keys).union(right.numbers.keys).sorted() {
            if let difference = told(name, left.numbers[name], right.numbers[name]) {
                return difference
            }
        }
        return left.words == right.words ? nil : "the poison reports' words differ"
    }
}

extension OutcomeComparison {
    private static func points(_ left: [LandscapePoint], _ right: [LandscapePoint]) -> String? {
        if let difference = counts("points", left.count, right.count) { return difference }
        let later = Dictionary(right.map { ($0.entry, $0) }, uniquingKeysWith: { $1 })
        for point in left {
            guard let other = later[point.entry] else {
                return "point \(point.entry) did not come later"
            }
            let difference =
                told("point \(point.entry) x", point.x, other.x)
                ?? told("point \(point.entry) y", point.y, other.y)
                ?? told("point \(point.entry) loss", point.loss, other.loss)
                ?? told("point \(point.entry) accuracy", point.accuracy, other.accuracy)
            if let difference { return difference }
        }
        return nil
    }

    private static func planes(_ left: PlaneReport?, _ right: PlaneReport?) -> String? {
        guard let left, let right else {
            return (left == nil) == (right == nil) ? nil : "only one outcome tells of a plane"
        }
        if left.plane != right.plane || left.epoch != right.epoch {
            return "plane \(left.plane) of epoch \(left.epoch) was accepted, "
                + "\(right.plane) of epoch \(right.epoch) came later"
        }
        return told("the plane's loss", left.loss, right.loss)
            ?? told("the plane's accuracy", left.accuracy, right.accuracy)
            ?? told("the length of x", left.lengthX, right.lengthX)
            ?? told("the length of y", left.lengthY, right.lengthY)
            ?? told("the share explained by x", left.explainedX, right.explainedX)
            ?? told("the share explained by y", left.explainedY, right.explainedY)
            ?? steps(left.steps, right.steps)
    }

    private static func steps(
        _ left: [PlaneReport.Step], _ right: [PlaneReport.Step]
    ) -> String? {
        if let difference = counts("steps", left.count, right.count) { return difference }
        for (ours, theirs) in zip(left, right) {
            if ours.epoch != theirs.epoch {
                return "epoch \(ours.epoch) was accepted, \(theirs.epoch) came later"
            }
            let difference =
                told("epoch \(ours.epoch) x", ours.x, theirs.x)
                ?? told("epoch \(ours.epoch) y", ours.y, theirs.y)
                ?? told("epoch \(ours.epoch) distance", ours.distance, theirs.distance)
            if let difference { return difference }
        }
        return nil
    }
}
