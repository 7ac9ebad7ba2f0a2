import FathomCore
import FathomPage
import FathomProtocol

/// What the runs of a report's figures were judged by: the headline's rule, drawn again from the
/// clean runs, because a rule may judge every epoch by its own β or by the loss it starts from.
enum ReportThresholds {
    /// By cell, then seed.
    static func all(
        _ selection: ReportSelection, cells: [ScoredCell]
    ) -> [String: [Int: LearnableThreshold]] {
        var scoring = UDScoring(cells: cells)
        var found: [String: [Int: LearnableThreshold]] = [:]
        for (row, cell) in selection.groups.flatMap({ zip($0.rows, $0.cells) }) {
            let baseline: ComparisonSettings.Baseline =
                row.baseline == "defended" ? .defended : .vanilla
            guard let rule = ThresholdRule(rawValue: row.rule),
                let clean = scoring.baselineCell(of: cell, baseline)
            else { continue }
            for run in cell.runs {
                guard let index = clean.runs.firstIndex(where: { $0.seed == run.seed }) else {
                    continue
                }
                found[cell.label, default: [:]][run.seed] =
                    scoring.threshold(rule, of: clean, at: index)
            }
        }
        return found
    }

    /// β as a figure over SAL may draw it: the mean of those that are values of SAL.
    static func mark(_ thresholds: [LearnableThreshold]) -> [(label: String, value: Double)] {
        let betas = thresholds.filter { !$0.isRelative }.map(\.beta).sorted()
        guard !betas.isEmpty else { return [] }
        let mean = Statistics.mean(betas)
        return [("β \(Numeral.short(mean))", mean)]
    }
}
