import FathomCore
import Foundation
import SwiftProtobuf

// What only some outcomes hold: SAL rows, a poison report, artifacts.

extension MessageCodec {
    static func wire(_ outcome: JobOutcome) -> Fathom_Outcome {
        .with {
            $0.sal = outcome.sal.map(wire)
            if let poison = outcome.poison {
                $0.poison = .with {
                    $0.numbers = poison.numbers
                    $0.words = poison.words
                }
            }
            $0.artifacts = outcome.artifacts.map(wire)
            $0.landscape = outcome.landscape.map(wire)
            if let plane = outcome.plane { $0.plane = wire(plane) }
            if let tolerance = outcome.tolerance { $0.tolerance = tolerance }
        }
    }

    static func value(_ outcome: Fathom_Outcome) throws(MessageError) -> JobOutcome {
        try check("outcome.sal", outcome.sal.count, MessageLimits.rowsPerOutcome)
        try check("outcome.artifacts", outcome.artifacts.count, MessageLimits.artifactsPerJob)
        var result = JobOutcome()
        for row in outcome.sal { result.sal.append(try value(row)) }
        for artifact in outcome.artifacts { result.artifacts.append(try value(artifact)) }
        try check("outcome.landscape", outcome.landscape.count, MessageLimits.rowsPerOutcome)
        for point in outcome.landscape { result.landscape.append(try value(point)) }
        if outcome.hasPlane { result.plane = try value(outcome.plane) }
        if outcome.hasPoison { result.poison = try value(outcome.poison) }
        if outcome.tolerance > 0, outcome.tolerance <= 1 { result.tolerance = outcome.tolerance }
        return result
    }

    private static func value(_ report: Fathom_PoisonReport) throws(MessageError) -> PoisonReport {
        try check("poison.numbers", report.numbers.count, MessageLimits.artifactsPerJob)
        try check("poison.words", report.words.count, MessageLimits.artifactsPerJob)
        return PoisonReport(numbers: report.numbers, words: report.words)
    }

    private static func wire(_ row: SALRow) -> Fathom_SALRow {
        let measurement = row.measurement
        return .with {
            $0.entry = UInt32(clamping: row.entry)
            $0.layerIndex = UInt32(clamping: row.layerIndex)
            if let filter = row.filter { $0.filter = UInt32(clamping: filter) }
            $0.layer = measurement.layer
            $0.weightCount = UInt64(clamping: measurement.weightCount)
            $0.weightNorm = measurement.weightNorm
            $0.originLoss = measurement.originLoss
            $0.originAccuracy = measurement.originAccuracy
            $0.down = wire(measurement.down)
            $0.up = wire(measurement.up)
            $0.sMax = measurement.sMax
            $0.sMin = measurement.sMin
            $0.sal = measurement.sal
            $0.salAccuracy = measurement.salAccuracy
            if let flag = measurement.flag { $0.flag = flag }
            $0.forwardEquivalents = measurement.forwardEquivalents
        }
    }

    private static func value(_ row: Fathom_SALRow) throws(MessageError) -> SALRow {
        let index = try ordinal("sal.layer_index", row.layerIndex)
        let entry = try ordinal("sal.entry", row.entry)
        try check("sal.entry", entry, MessageLimits.entriesPerJob)
        try check("sal.layer_index", index, MessageLimits.entriesPerJob)
        let measurement = SALMeasurement(
            layer: try word("sal.layer", row.layer),
            weightCount: try ordinal("sal.weight_count", row.weightCount),
            weightNorm: row.weightNorm, originLoss: row.originLoss,
            originAccuracy: row.originAccuracy, down: try value(row.down), up: try value(row.up),
            sMax: row.sMax, sMin: row.sMin, sal: row.sal, salAccuracy: row.salAccuracy,
            flag: row.hasFlag ? try word("sal.flag", row.flag) : nil,
            forwardEquivalents: row.forwardEquivalents)
        return SALRow(
            entry: entry, layerIndex: index,
            filter: row.hasFilter ? try ordinal("sal.filter", row.filter) : nil,
            measurement: measurement)
    }

    private static func wire(_ walk: SALWalk) -> Fathom_SALWalk {
        .with {
            $0.losses = walk.losses
            $0.accuracies = walk.accuracies
            $0.radii = walk.radii
            if let reached = walk.reachedAt { $0.reachedAt = UInt32(clamping: reached) }
            $0.diverged = walk.diverged
        }
    }

    private static func value(_ walk: Fathom_SALWalk) throws(MessageError) -> SALWalk {
        try check("walk.losses", walk.losses.count, MessageLimits.walkSteps)
        try check("walk.accuracies", walk.accuracies.count, MessageLimits.walkSteps)
        try check("walk.radii", walk.radii.count, MessageLimits.walkSteps)
        return SALWalk(
            losses: walk.losses, accuracies: walk.accuracies, radii: walk.radii,
            reachedAt: walk.hasReachedAt ? try ordinal("walk.reached_at", walk.reachedAt) : nil,
            diverged: walk.diverged)
    }
}
