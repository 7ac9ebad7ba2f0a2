public import FathomCore
public import FathomProtocol
import Foundation
import GRDB

extension StoreReader {
    /// What a report says of a sweep, whether it has finished or not.
    ///
    /// Leaderboard and scores are those of the last merge; everything else is as it is now.
    public func report(
        of sweep: SweepID, limits: ReportLimits = ReportLimits()
    ) throws(StoreError) -> ReportData {
        var data = ReportData(sweep: try name(of: sweep))
        data.manifest = try manifest(of: sweep)
        data.rows = try leaderboard(of: sweep)
        data.costs = try costs(of: sweep)
        let tasks = Set(data.rows.map(\.task))
        // Agreement compares all pairs of seeds of all tasks, which few runs can afford.
        if tasks.count > 1, data.rows.count <= StoreReader.agreementCellsMax {
            data.agreement = try AgreementTable.of(sweep, in: self).result
        }
        if data.rows.count <= StoreReader.choicesCellsMax {
            data.choices = try choices(of: sweep)
        }
        let name = data.sweep
        return try read { db in
            var data = data
            let loader = ReportLoader(db: db, sweep: sweep, name: name, limits: limits)
            data.cells = try ScoreLoader(db: db, sweep: sweep).load()
            data.scores = try loader.scores()
            data.layers = try loader.layers()
            data.work = try loader.work()
            let selection = ReportSelection(data, limits: limits)
            data.thresholds = ReportThresholds.all(selection, cells: data.cells)
            data.curves = try loader.curves(of: selection.cells)
            data.matrices = try loader.matrices(of: selection.matrices)
            data.landscapes = try loader.landscapes()
            data.landscapeCount = try loader.landscapeCount()
            return data
        }
    }

    /// UD under all choices, walks cut to half, a quarter, and so on down to one step among them.
    private func choices(of sweep: SweepID) throws(StoreError) -> QueryResult {
        var shorter: [(steps: Int, cells: [ScoredCell])] = []
        var length = try walkLength(of: sweep) / 2
        while length >= 1 {
            shorter.append((length, try scoredCells(of: sweep, walkLength: length)))
            length /= 2
        }
        return Sensitivity(
            cells: try scoredCells(of: sweep), comparison: try comparison(of: sweep),
            shorter: shorter
        ).result
    }

    private static let agreementCellsMax = 400
    /// Every choice scores all cells anew.
    private static let choicesCellsMax = 60
}

extension ReportLoader {
    /// How many planes the sweep's runs have.
    func landscapeCount() throws -> Int {
        guard try db.viewExists("lossPlane") else { return 0 }
        return try Int.fetchOne(
            db, sql: "SELECT count(*) FROM lossPlane WHERE sweep = ?", arguments: [name]) ?? 0
    }

    /// Planes of the sweep's runs, the first seeds first, all of a run beside each other; none in
    /// stores that sample none.
    func landscapes() throws -> [ReportLandscape] {
        let views = ["lossPlane", "lossSurface", "lossTrajectory"]
        for view in views where try !db.viewExists(view) { return [] }
        let planes = try Row.fetchAll(
            db,
            sql: """
                SELECT p.cell, p.seed, p.plane, p.epoch, p.explainedX, p.explainedY
                FROM lossPlane p JOIN cell c ON c.label = p.cell AND c.sweep = ?
                WHERE p.sweep = ? ORDER BY p.seed, c.position, p.plane LIMIT ?
                """, arguments: [sweep.number, name, limits.landscapes])
        return try planes.map { row in
            var plane = ReportLandscape(
                cell: row["cell"], seed: row["seed"], plane: row["plane"], epoch: row["epoch"],
                explainedX: row["explainedX"], explainedY: row["explainedY"], points: [],
                steps: [])
            plane.points = try Row.fetchAll(
                db,
                sql: """
                    SELECT x, y, loss FROM lossSurface
                    WHERE sweep = ? AND cell = ? AND seed = ? AND plane = ? ORDER BY entry
                    """, arguments: [name, plane.cell, plane.seed, plane.plane]
            ).map { ReportLandscape.Point(x: $0["x"], y: $0["y"], loss: $0["loss"]) }
            if plane.plane == "trajectory" {
                plane.steps = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT epoch, x, y FROM lossTrajectory
                        WHERE sweep = ? AND cell = ? AND seed = ? ORDER BY epoch
                        """, arguments: [name, plane.cell, plane.seed]
                ).map { ReportLandscape.Step(epoch: $0["epoch"], x: $0["x"], y: $0["y"]) }
            }
            return plane
        }
    }
}

/// A poison of a sweep, as the first seed of a cell trains on it.
public struct StoredPoison: Sendable {
    public var method: String
    public var dataSet: String
    public var seed: Int
    public var spec: PoisonSpec
    /// The artifact `poison`; `nil` before it is made, or after it was deleted.
    public var artifact: Digest?
}

extension StoreReader {
    /// The poisons of a sweep, each job once, by data set and in the order of the plan.
    ///
    /// - Returns: At most `limit` of them, and how many there are.
    public func poisons(
        of sweep: SweepID, limit: Int
    ) throws(StoreError) -> (poisons: [StoredPoison], count: Int) {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT c.method, c.dataSet, r.seed, j.id, j.spec, a.digest
                    FROM cell c JOIN run r ON r.cell = c.id AND r.hidden = 0
                      JOIN runJob rj ON rj.run = r.id AND rj.role = 'poison' AND rj.position = 0
                      JOIN job j ON j.id = rj.job
                      LEFT JOIN artifact a ON a.job = j.id AND a.name = 'poison'
                    WHERE c.sweep = ? AND c.hidden = 0
                      AND r.seed = (SELECT min(o.seed) FROM run o
                        WHERE o.cell = c.id AND o.hidden = 0)
                    GROUP BY j.id ORDER BY c.dataSet, min(c.position)
                    """, arguments: [sweep.number])
            let decoder = JSONDecoder()
            let poisons = try rows.prefix(limit).compactMap { row -> StoredPoison? in
                let text: String = row["spec"]
                guard
                    case .poison(let spec) = try decoder.decode(
                        JobSpec.self, from: Data(text.utf8)
                    ).body
                else { return nil }
                let digest: String? = row["digest"]
                return StoredPoison(
                    method: row["method"], dataSet: row["dataSet"], seed: row["seed"], spec: spec,
                    artifact: digest.flatMap { Digest(hex: $0) })
            }
            return (poisons, rows.count)
        }
    }
}
