import FathomCore
import SwiftProtobuf

// What a job that samples a loss landscape answers.

extension MessageCodec {
    static func wire(_ point: LandscapePoint) -> Fathom_LandscapePoint {
        .with {
            $0.entry = UInt32(clamping: point.entry)
            $0.x = point.x
            $0.y = point.y
            if let loss = point.loss { $0.loss = loss }
            if let accuracy = point.accuracy { $0.accuracy = accuracy }
            if let flag = point.flag { $0.flag = flag }
        }
    }

    static func value(_ point: Fathom_LandscapePoint) throws(MessageError) -> LandscapePoint {
        let entry = try ordinal("landscape.entry", point.entry)
        try check("landscape.entry", entry, MessageLimits.entriesPerJob)
        return LandscapePoint(
            entry: entry, x: point.x, y: point.y, loss: point.hasLoss ? point.loss : nil,
            accuracy: point.hasAccuracy ? point.accuracy : nil,
            flag: point.hasFlag ? try word("landscape.flag", point.flag) : nil)
    }

    static func wire(_ plane: PlaneReport) -> Fathom_Plane {
        .with {
            $0.kind = plane.plane == .random ? .random : .trajectory
            $0.epoch = UInt32(clamping: plane.epoch)
            if let loss = plane.loss { $0.loss = loss }
            if let accuracy = plane.accuracy { $0.accuracy = accuracy }
            $0.lengthX = plane.lengthX
            $0.lengthY = plane.lengthY
            if let explained = plane.explainedX { $0.explainedX = explained }
            if let explained = plane.explainedY { $0.explainedY = explained }
            $0.steps = plane.steps.map { step in
                .with {
                    $0.epoch = UInt32(clamping: step.epoch)
                    $0.x = step.x
                    $0.y = step.y
                    $0.distance = step.distance
                }
            }
        }
    }

    static func value(_ plane: Fathom_Plane) throws(MessageError) -> PlaneReport {
        let kind: LandscapeSettings.Plane
        switch plane.kind {
        case .random: kind = .random
        case .trajectory: kind = .trajectory
        case .unspecified, .UNRECOGNIZED: throw .missing(field: "plane.kind")
        }
        try check("plane.steps", plane.steps.count, MessageLimits.artifactsPerJob)
        var report = PlaneReport(
            plane: kind, epoch: try ordinal("plane.epoch", plane.epoch),
            loss: plane.hasLoss ? plane.loss : nil,
            accuracy: plane.hasAccuracy ? plane.accuracy : nil, lengthX: plane.lengthX,
            lengthY: plane.lengthY, explainedX: plane.hasExplainedX ? plane.explainedX : nil,
            explainedY: plane.hasExplainedY ? plane.explainedY : nil)
        for step in plane.steps {
            report.steps.append(
                PlaneReport.Step(
                    epoch: try ordinal("plane.epoch", step.epoch), x: step.x, y: step.y,
                    distance: step.distance))
        }
        return report
    }
}
