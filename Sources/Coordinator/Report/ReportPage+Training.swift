import FathomCore
import FathomPage

extension ReportPage {
    /// Loss and metric after every epoch.
    var training: Markup {
        var panels: [Markup] = []
        var rows: [[QueryValue]] = []
        for group in selection.groups {
            for split in ["train", "test"] {
                let curves = group.rows.compactMap { row in
                    data.curves[row.cell]?.first { $0.split == split }.map { (row, $0) }
                }
                guard !curves.isEmpty else { continue }
                panels.append(panel(group, curves, split: split))
                rows += curves.flatMap { row, curve in values(group.title, row, curve) }
            }
        }
        guard !panels.isEmpty else { return .nothing }
        return Figure(
            id: "curves", title: "Training loss, and the task's metric on clean test images",
            caption: Markup(
                text: "Means over seeds, with bands from the lowest to the highest. A poison shows "
                    + "in a training loss that falls while the test metric does not follow. The "
                    + "broken line is what the best predictor that looks at nothing gets."),
            panels: panels, key: styles.key(selection.groups.flatMap(\.rows)),
            download: Download(
                fileName: "training.csv",
                csv: ReportWords.csv(
                    [
                        "group", "cell", "method", "split", "metric", "epoch", "mean", "low",
                        "high", "seeds",
                    ], rows))
        ).markup
    }

    private func panel(
        _ group: ReportSelection.Group, _ curves: [(LeaderboardRow, ReportCurve)], split: String
    ) -> Markup {
        let series = curves.map { row, curve in
            LineChart.Series(
                name: row.method, style: styles.style(row.method),
                points: curve.points.map {
                    .init(x: Double($0.epoch), y: $0.mean, low: $0.low, high: $0.high)
                })
        }
        let points = series.flatMap(\.points)
        let values = points.flatMap { [$0.y, $0.low, $0.high].compactMap { $0 } }
        let isLoss = split == "train"
        let smallest = values.min() ?? 0
        let isSteep = isLoss && smallest > 0 && (values.max() ?? 0) > 30 * smallest
        let label = isLoss ? "training loss (nats)" : ReportWords.metric(group.metricName)
        let chance = isLoss ? nil : group.rows.compactMap(\.chance).first
        let last = curves.compactMap { row, curve in
            curve.points.last?.mean.map { "\(row.method): \(Numeral.short($0))" }
        }
        let chart = LineChart(
            ChartName(
                id: "curve-\(group.id)-\(split)", title: "\(label), \(group.title)",
                description: "After the last epoch, " + last.joined(separator: "; ")),
            x: Axis("epoch", covering: points.map(\.x)),
            y: Axis(
                label, covering: values + [chance].compactMap { $0 },
                kind: isSteep ? .log : .linear),
            series: series, levels: chance.map { [.init(label: "chance", value: $0)] } ?? [])
        return titled(group.title) {
            chart.svg
        }
    }

    private func values(
        _ group: String, _ row: LeaderboardRow, _ curve: ReportCurve
    ) -> [[QueryValue]] {
        curve.points.map { point in
            [
                .text(group), .text(row.cell), .text(row.method), .text(curve.split),
                .text(curve.metric), .integer(Int64(point.epoch)), ReportWords.real(point.mean),
                ReportWords.real(point.low), ReportWords.real(point.high),
                .integer(Int64(point.seedCount)),
            ]
        }
    }
}
