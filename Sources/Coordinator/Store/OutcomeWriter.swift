import FathomCore
import FathomProtocol
import GRDB

extension Double {
    /// `nil` for what the store keeps as a flag rather than a value.
    var finite: Double? { isFinite ? self : nil }
}

/// Writes an outcome's rows. Rows that are there already stay: equal jobs give equal rows, and
/// comparing is done before.
struct OutcomeWriter {
    let db: Database
    let job: Int64
    let hot: HotPath

    func write(_ outcome: JobOutcome) throws {
        for row in outcome.metrics { try write(row) }
        for row in outcome.sal { try write(row) }
        for point in outcome.landscape { try write(point) }
        if let plane = outcome.plane { try write(plane) }
        for artifact in outcome.artifacts {
            try run(
                """
                INSERT INTO artifact (job, name, digest, bytes) VALUES (?, ?, ?, ?)
                ON CONFLICT (job, name) DO UPDATE SET digest = excluded.digest,
                  bytes = excluded.bytes
                """, [job, artifact.name, artifact.digest.hex, artifact.bytes])
        }
        if let report = outcome.poison { try write(report) }
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func write(_ row: MetricRow) throws {
        let value = row.value?.finite
        let flag = row.flag ?? (value == nil ? OutcomeWriter.notFinite : nil)
        let insert = try hot.statement(.metric, db)
        insert.bind(1, job)
        insert.bind(2, row.epoch)
        insert.bind(3, row.task)
        insert.bind(4, row.split)
        insert.bind(5, row.name)
        insert.bind(6, value)
        insert.bind(7, flag)
        try insert.run()
    }

    /// What a number that is none is flagged as when the row itself says nothing.
    static let notFinite = "not finite"

    private func write(_ report: PoisonReport) throws {
        for (name, number) in report.numbers.sorted(by: { $0.key < $1.key }) {
            try writeReport(name, number.finite, number.isFinite ? nil : OutcomeWriter.notFinite)
        }
        for (name, word) in report.words.sorted(by: { $0.key < $1.key }) {
            try writeReport(name, nil, word)
        }
        // A report without a line is still a report.
        if report.numbers.isEmpty && report.words.isEmpty { try writeReport("", nil, nil) }
    }

    private func writeReport(_ name: String, _ number: Double?, _ word: String?) throws {
        try run(
            """
            INSERT INTO poisonReport (job, name, number, word) VALUES (?, ?, ?, ?)
            ON CONFLICT (job, name) DO UPDATE SET word = coalesce(excluded.word, word)
            """, [job, name, number, word])
    }

    private func write(_ row: SALRow) throws {
        let measured = row.measurement
        let flag = measured.flag ?? (measured.sal.isFinite ? nil : "diverged")
        try run(
            """
            INSERT INTO sal (job, entry, layerIndex, layer, filter, weightCount, weightNorm, originLoss,
              originAccuracy, sMax, sMin, sal, salAccuracy, flag, forwardEquivalents)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [
                job, row.entry, row.layerIndex, measured.layer, row.filter, measured.weightCount,
                measured.weightNorm.finite, measured.originLoss.finite,
                measured.originAccuracy.finite, measured.sMax.finite, measured.sMin.finite,
                measured.sal.finite, measured.salAccuracy.finite, flag,
                measured.forwardEquivalents.finite,
            ])
        guard db.changesCount == 1 else { return }
        try write(measured.down, "down", row.entry)
        try write(measured.up, "up", row.entry)
    }

    private func write(_ point: LandscapePoint) throws {
        let loss = point.loss?.finite
        let flag = point.flag ?? (loss == nil ? OutcomeWriter.notFinite : nil)
        try run(
            """
            INSERT INTO landscape (job, entry, x, y, loss, accuracy, flag)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, [job, point.entry, point.x, point.y, loss, point.accuracy?.finite, flag])
    }

    private func write(_ plane: PlaneReport) throws {
        try run(
            """
            INSERT INTO landscapePlane (job, plane, epoch, loss, accuracy, lengthX, lengthY,
              explainedX, explainedY) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [
                job, plane.plane.rawValue, plane.epoch, plane.loss?.finite,
                plane.accuracy?.finite, plane.lengthX, plane.lengthY, plane.explainedX?.finite,
                plane.explainedY?.finite,
            ])
        for step in plane.steps {
            try run(
                """
                INSERT INTO landscapeStep (job, epoch, x, y, distance) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """, [job, step.epoch, step.x, step.y, step.distance])
        }
    }

    private func write(_ walk: SALWalk, _ direction: String, _ entry: Int) throws {
        try run(
            """
            INSERT INTO salWalk (job, entry, direction, losses, accuracies, radii, reachedAt,
              diverged) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                job, entry, direction, NumberList.text(walk.losses),
                NumberList.text(walk.accuracies), NumberList.text(walk.radii), walk.reachedAt,
                walk.diverged,
            ])
    }
}

/// Numbers as a JSON array in shortest round-trip form, `null` for what is no number.
enum NumberList {
    static func text(_ values: [Double]) -> String {
        "[" + values.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ",") + "]"
    }

    static func values(_ text: String) -> [Double] {
        text.dropFirst().dropLast().split(separator: ",").map { Double($0) ?? .nan }
    }
}
