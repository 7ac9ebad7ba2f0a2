import FathomCore
import GRDB

extension StoreReader {
    /// The sweep's leaderboard as last merged, in the order of the plan, with what is in trouble
    /// now. Costs are read apart (`costs(of:)`).
    public func leaderboard(of sweep: SweepID) throws(StoreError) -> [LeaderboardRow] {
        try read { db in
            let name = try StoreReader.name(of: sweep, db)
            let troubles = try StoreReader.troubles(of: sweep, db)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM leaderboard WHERE sweep = ? ORDER BY position, cell",
                arguments: [name]
            ).map { row in
                var result = StoreReader.leaderboardRow(row)
                result.trouble = troubles[result.cell]
                return result
            }
        }
    }

    private static func interval(_ row: Row, _ low: String, _ high: String) -> Interval? {
        guard let low: Double = row[low], let high: Double = row[high] else { return nil }
        return Interval(low: low, high: high)
    }

    private static func leaderboardRow(_ row: Row) -> LeaderboardRow {
        let cell = ScoredCell(
            label: row["cell"], position: row["position"], method: row["method"], methodName: "",
            task: row["task"], model: row["model"], defense: row["defense"],
            dataSet: row["dataSet"], baselineGroup: "", classCount: 1, runs: [])
        let role = LeaderboardRow.Role(rawValue: row["role"]) ?? .method
        var result = LeaderboardRow(cell: cell, role: role)
        result.seeds = row["seeds"]
        result.seedCount = row["n"]
        fillUD(&result, row)
        fillMetric(&result, row)
        fillSeeds(&result, row)
        return result
    }

    private static func fillSeeds(_ result: inout LeaderboardRow, _ row: Row) {
        func list(_ column: String) -> [Double?] {
            NumberList.values(row[column]).map { $0.isNaN ? nil : $0 }
        }
        let lists = ["seedUD", "seedLearnable", "seedMetric", "seedDamage"].map(list)
        result.seedValues = list("seedNumbers").enumerated().map { index, seed in
            func value(_ list: Int) -> Double? {
                index < lists[list].count ? lists[list][index] : nil
            }
            return LeaderboardRow.SeedValues(
                seed: Int(seed ?? 0), ud: value(0), learnable: value(1), metric: value(2),
                damage: value(3))
        }
        result.settings = row["settings"]
        result.udVanilla = row["udVanilla"]
        result.udDefended = row["udDefended"]
        result.damageVanilla = row["damageVanilla"]
        result.damageDefended = row["damageDefended"]
        result.udMatched = row["udMatched"]
        result.udMatchedInterval = interval(row, "udMatchedLow", "udMatchedHigh")
        result.matchedCount = row["matchedCount"]
        result.bimodalShare = row["bimodalShare"]
    }

    /// How far UD agrees with other figures, as last merged.
    public func rankAgreements(of sweep: SweepID) throws(StoreError) -> [RankAgreement] {
        try read { db in
            let name = try StoreReader.name(of: sweep, db)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM rankAgreement WHERE sweep = ?", arguments: [name]
            ).compactMap { row in
                RankAgreement.Other(rawValue: row["other"]).map { other in
                    RankAgreement(
                        dataSet: row["dataSet"], task: row["task"], model: row["model"],
                        defense: row["defense"], settings: row["settings"], other: other,
                        includesControls: row["controls"], count: row["n"], rho: row["rho"],
                        interval: StoreReader.interval(row, "rhoLow", "rhoHigh"), tau: row["tau"])
                }
            }
        }
    }

    private static func fillUD(_ result: inout LeaderboardRow, _ row: Row) {
        result.ud = row["ud"]
        result.udInterval = interval(row, "udLow", "udHigh")
        result.udMean = row["udMean"]
        result.udDeviation = row["udDeviation"]
        result.udReason = row["udReason"]
        result.rule = row["rule"]
        result.countKind = row["countKind"]
        result.baseline = row["baseline"]
        result.isCalibrated = row["calibrated"]
        result.learnable = row["learnable"]
        result.learnableBaseline = row["learnableBaseline"]
        result.learnableTotal = row["learnableTotal"]
        result.layerCount = row["layerCount"]
        result.control = interval(row, "controlLow", "controlHigh")
    }

    private static func fillMetric(_ result: inout LeaderboardRow, _ row: Row) {
        result.metricName = row["metricName"]
        result.metric = row["metric"]
        result.metricInterval = interval(row, "metricLow", "metricHigh")
        result.metricDeviation = row["metricDeviation"]
        result.chance = row["chance"]
        result.damage = row["damage"]
        result.damageInterval = interval(row, "damageLow", "damageHigh")
        result.damageReason = row["damageReason"]
        result.trainLoss = row["trainLoss"]
        result.salLoss = row["salLoss"]
        result.salLossBaseline = row["salLossBaseline"]
        result.reach = row["reach"]
        result.reachBaseline = row["reachBaseline"]
        result.note = row["note"]
    }
}
