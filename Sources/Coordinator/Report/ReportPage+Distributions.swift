import FathomCore
import FathomPage

extension ReportPage {
    /// Where the SAL values of each treatment lie, with the threshold between them.
    var distributions: Markup {
        let panels = selection.groups.compactMap { DistributionSheet(self, $0) }
        guard !panels.isEmpty else { return .nothing }
        let columns = ["group", "cell", "method", "salLow", "salHigh", "share"]
        return Figure(
            id: "distributions", title: "Distribution of SAL over layers, epochs and seeds",
            caption: Markup(
                text: "The height is the share of values in each step, scaled by row. The broken "
                    + "line is the threshold β, drawn from clean training; at the right stands the "
                    + "share of values above the β of their seed. A poison that works moves its "
                    + "hill to the left of the line. What lies below the axis stands in its first "
                    + "step."),
            panels: panels.map(\.chart),
            download: Download(
                fileName: "sal-distribution.csv",
                csv: ReportWords.csv(columns, panels.flatMap(\.rows)))
        ).markup
    }
}

/// The distributions of one group.
private struct DistributionSheet {
    let chart: Markup
    let rows: [[QueryValue]]
    private static let binCount = 44

    init?(_ page: ReportPage, _ group: ReportSelection.Group) {
        let cells = zip(group.rows, group.cells).filter { !DistributionSheet.values($1).isEmpty }
        let all = cells.flatMap { DistributionSheet.values($1) }
        guard let top = all.max() else { return nil }
        let kept = all.filter { $0 >= max(top, 1e-12) * 1e-5 }
        let axis = Axis("SAL (nats)", covering: kept, kind: .log, padding: 0.01)
        var ridges: [Ridges.Ridge] = []
        var rows: [[QueryValue]] = []
        for (row, cell) in cells {
            let shares = DistributionSheet.shares(DistributionSheet.values(cell), axis: axis)
            ridges.append(
                Ridges.Ridge(
                    name: row.method, style: page.styles.style(row.method), shares: shares,
                    remark: DistributionSheet.above(cell, page.data.thresholds[cell.label])))
            for (bin, share) in shares.enumerated() {
                let edges = [bin, bin + 1].map { DistributionSheet.edge($0, axis) }
                rows.append([
                    .text(group.title), .text(cell.label), .text(row.method), .real(edges[0]),
                    .real(edges[1]), .real(share),
                ])
            }
        }
        let judged = group.rows.flatMap { row in
            (page.data.thresholds[row.cell] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        }
        let ridgeline = Ridges(
            ChartName(
                id: "distribution-\(group.id)", title: "SAL of \(group.title)",
                description: ridges.map { "\($0.name): \($0.remark) above the threshold" }
                    .joined(separator: "; ")),
            axis: axis, ridges: ridges,
            marks: ReportThresholds.mark(judged),
            remarkTitle: "above β")
        chart = page.titled(group.title) { ridgeline.svg }
        self.rows = rows
    }

    private static func values(_ cell: ScoredCell) -> [Double] {
        cell.runs.compactMap(\.matrix).flatMap(\.values)
    }

    private static func shares(_ values: [Double], axis: Axis) -> [Double] {
        var counts = [Int](repeating: 0, count: binCount)
        for value in values {
            counts[min(binCount - 1, Int(axis.fraction(value) * Double(binCount)))] += 1
        }
        return counts.map { Double($0) / Double(max(values.count, 1)) }
    }

    private static func edge(_ bin: Int, _ axis: Axis) -> Double {
        axis.value(Double(bin) / Double(binCount))
    }

    private static func above(
        _ cell: ScoredCell, _ thresholds: [Int: LearnableThreshold]?
    ) -> String {
        var (above, total) = (0.0, 0)
        for run in cell.runs {
            guard let matrix = run.matrix, let threshold = thresholds?[run.seed],
                let counts = LearnableCount.byEpoch(
                    .layers, of: matrix, above: threshold, weightCounts: run.weightCounts)
            else { continue }
            above += counts.reduce(0, +)
            total += matrix.values.count
        }
        return total == 0 ? "–" : Numeral.fixed(100 * above / Double(total), 0) + " %"
    }
}
