import FathomCore
import FathomProtocol
import GRDB

/// Reads back what `OutcomeWriter` wrote. Numbers that were none come back as NaN.
struct OutcomeLoader {
    let db: Database
    let job: Int64

    func load(_ kind: JobSpec.Kind?, entries: Range<Int>) throws -> JobOutcome? {
        var outcome = JobOutcome()
        switch kind {
        case .sal:
            outcome.sal = try sal(entries)
            guard outcome.sal.count == entries.count else { return nil }
        case .landscape:
            outcome.landscape = try points(entries)
            guard outcome.landscape.count == entries.count else { return nil }
            outcome.plane = try plane()
        case .poison, .train, .probe, nil:
            guard try wasAccepted() else { return nil }
        }
        outcome.metrics = try metrics()
        outcome.poison = try poisonReport()
        outcome.artifacts = try artifacts()
        return outcome
    }

    private func wasAccepted() throws -> Bool {
        let find = try db.cachedStatement(
            sql: "SELECT 1 FROM attempt WHERE job = ? AND state = 'accepted' LIMIT 1")
        return try Int.fetchOne(find, arguments: [job]) != nil
    }

    private func rows(_ sql: String) throws -> [Row] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [job])
    }

    private func metrics() throws -> [MetricRow] {
        try rows(
            """
            SELECT epoch, task, split, name, value, flag FROM metric WHERE job = ?
            ORDER BY epoch, task, split, name
            """
        ).map { row in
            MetricRow(
                epoch: row[0], task: row[1], split: row[2], name: row[3], value: row[4],
                flag: row[5])
        }
    }

    private func poisonReport() throws -> PoisonReport? {
        let lines = try rows("SELECT name, number, word FROM poisonReport WHERE job = ?")
        guard !lines.isEmpty else { return nil }
        var report = PoisonReport()
        for line in lines {
            let name: String = line[0]
            let number: Double? = line[1]
            let word: String? = line[2]
            if let number {
                report.numbers[name] = number
            } else if word == OutcomeWriter.notFinite {
                report.numbers[name] = .nan
            }
            if let word, word != OutcomeWriter.notFinite { report.words[name] = word }
        }
        return report
    }

    private func artifacts() throws -> [ArtifactReference] {
        try rows("SELECT name, digest, bytes FROM artifact WHERE job = ? ORDER BY name")
            .compactMap { row in
                Digest(hex: row[1]).map {
                    ArtifactReference(name: row[0], digest: $0, bytes: row[2])
                }
            }
    }

    private func points(_ entries: Range<Int>) throws -> [LandscapePoint] {
        let find = try db.cachedStatement(
            sql: """
                SELECT entry, x, y, loss, accuracy, flag FROM landscape
                WHERE job = ? AND entry >= ? AND entry < ? ORDER BY entry
                """)
        return try Row.fetchAll(
            find, arguments: [job, entries.lowerBound, entries.upperBound]
        ).map { row in
            LandscapePoint(
                entry: row[0], x: row[1], y: row[2], loss: row[3], accuracy: row[4], flag: row[5])
        }
    }

    private func plane() throws -> PlaneReport? {
        guard
            let row = try rows(
                """
                SELECT plane, epoch, loss, accuracy, lengthX, lengthY, explainedX, explainedY
                FROM landscapePlane WHERE job = ?
                """
            ).first, let kind = LandscapeSettings.Plane(rawValue: row[0])
        else { return nil }
        let steps = try rows(
            "SELECT epoch, x, y, distance FROM landscapeStep WHERE job = ? ORDER BY epoch"
        ).map { PlaneReport.Step(epoch: $0[0], x: $0[1], y: $0[2], distance: $0[3]) }
        return PlaneReport(
            plane: kind, epoch: row[1], loss: row[2], accuracy: row[3], lengthX: row[4],
            lengthY: row[5], explainedX: row[6], explainedY: row[7], steps: steps)
    }

    private func sal(_ entries: Range<Int>) throws -> [SALRow] {
        var walks: [Int: [String: SALWalk]] = [:]
        for row in try rows(
            """
            SELECT entry, direction, losses, accuracies, radii, reachedAt, diverged
            FROM salWalk WHERE job = ?
            """)
        {
            walks[row[0], default: [:]][row[1]] = SALWalk(
                losses: NumberList.values(row[2]), accuracies: NumberList.values(row[3]),
                radii: NumberList.values(row[4]), reachedAt: row[5], diverged: row[6])
        }
        let found = try rows("SELECT * FROM sal WHERE job = ? ORDER BY entry")
        return found.map { row in
            let entry: Int = row["entry"]
            return SALRow(
                entry: entry, layerIndex: row["layerIndex"], filter: row["filter"],
                measurement: measurement(row, walks[entry] ?? [:]))
        }.filter { entries.contains($0.entry) }
    }

    private func measurement(_ row: Row, _ walks: [String: SALWalk]) -> SALMeasurement {
        func number(_ name: String) -> Double { row[name] as Double? ?? .nan }
        return SALMeasurement(
            layer: row["layer"], weightCount: row["weightCount"],
            weightNorm: number("weightNorm"), originLoss: number("originLoss"),
            originAccuracy: number("originAccuracy"), down: walks["down"] ?? SALWalk(),
            up: walks["up"] ?? SALWalk(), sMax: number("sMax"), sMin: number("sMin"),
            sal: number("sal"), salAccuracy: number("salAccuracy"), flag: row["flag"],
            forwardEquivalents: number("forwardEquivalents"))
    }
}
