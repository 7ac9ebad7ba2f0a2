import FathomCore
import FathomPage

extension ReportPage {
    /// What stays learnable as training goes on.
    var learnableByEpoch: Markup {
        var panels: [Markup] = []
        var rows: [[QueryValue]] = []
        for group in selection.groups {
            let counts = zip(group.rows, group.cells).map { row, cell in
                (row, LearnableByEpoch(cell, thresholds: data.thresholds[cell.label] ?? [:]))
            }.filter { !$0.1.epochs.isEmpty }
            guard !counts.isEmpty else { continue }
            for kind in CountKind.allCases {
                panels.append(panel(group, counts, kind))
            }
            for (row, count) in counts {
                rows += count.rows(group: group.title, method: row.method)
            }
        }
        guard !panels.isEmpty else { return .nothing }
        let shown = selection.groups.flatMap(\.rows)
        return Figure(
            id: "learnable", title: "Layers and parameters above the threshold, by epoch",
            caption: Markup(
                text: "Lines are means over seeds, bands reach from the lowest seed to the "
                    + "highest. The mean of a line over its epochs is LC; UD is the LC of a method "
                    + "over that of clean training."),
            panels: panels, key: styles.key(shown),
            download: Download(
                fileName: "learnable-by-epoch.csv",
                csv: ReportWords.csv(
                    [
                        "group", "cell", "method", "epoch", "layers", "layersLow", "layersHigh",
                        "parameterShare", "parameterShareLow", "parameterShareHigh",
                    ], rows))
        ).markup
    }

    private func panel(
        _ group: ReportSelection.Group, _ counts: [(LeaderboardRow, LearnableByEpoch)],
        _ kind: CountKind
    ) -> Markup {
        let series = counts.map { row, count in
            LineChart.Series(
                name: row.method, style: styles.style(row.method), points: count.points(kind))
        }
        let points = series.flatMap(\.points)
        let values = points.flatMap { [$0.low, $0.high, $0.y].compactMap { $0 } }
        let isLayers = kind == .layers
        let label = isLayers ? "layers above β" : "share of parameters above β"
        let chart = LineChart(
            ChartName(
                id: "learnable-\(group.id)-\(kind.rawValue)", title: "\(label), \(group.title)",
                description: counts.map { row, count in
                    "\(row.method): \(Numeral.short(count.mean(kind))) on average"
                }.joined(separator: "; ")),
            x: Axis("epoch", covering: points.map(\.x)),
            y: Axis(label, covering: values + [0], padding: 0.06), series: series)
        return titled(group.title) {
            chart.svg
        }
    }
}

/// How much of a cell's runs is learnable after every measured epoch.
struct LearnableByEpoch {
    struct Count {
        var seed: Int
        var epoch: Int
        var layers: Double
        /// The share of the measured weights that lies in those layers.
        var parameters: Double
    }

    private(set) var counts: [Count] = []
    private let cell: String

    init(_ cell: ScoredCell, thresholds: [Int: LearnableThreshold]) {
        self.cell = cell.label
        for run in cell.runs {
            guard let matrix = run.matrix, let threshold = thresholds[run.seed],
                let layers = LearnableCount.byEpoch(
                    .layers, of: matrix, above: threshold, weightCounts: run.weightCounts),
                let parameters = LearnableCount.byEpoch(
                    .parameters, of: matrix, above: threshold, weightCounts: run.weightCounts)
            else { continue }
            let weights = Double(max(run.weightCounts.reduce(0, +), 1))
            for (index, epoch) in matrix.epochs.enumerated() {
                counts.append(
                    Count(
                        seed: run.seed, epoch: epoch, layers: layers[index],
                        parameters: parameters[index] / weights))
            }
        }
    }

    var epochs: [Int] { Set(counts.map(\.epoch)).sorted() }

    private func values(_ kind: CountKind, at epoch: Int) -> [Double] {
        counts.filter { $0.epoch == epoch }.map { kind == .layers ? $0.layers : $0.parameters }
    }

    func points(_ kind: CountKind) -> [LineChart.Series.Point] {
        epochs.map { epoch in
            let values = values(kind, at: epoch)
            return .init(
                x: Double(epoch), y: Statistics.mean(values), low: values.min(),
                high: values.max())
        }
    }

    func mean(_ kind: CountKind) -> Double {
        let all = counts.map { kind == .layers ? $0.layers : $0.parameters }
        return all.isEmpty ? 0 : Statistics.mean(all)
    }

    func rows(group: String, method: String) -> [[QueryValue]] {
        epochs.map { epoch in
            let named: [QueryValue] = [
                .text(group), .text(cell), .text(method), .integer(Int64(epoch)),
            ]
            return named
                + CountKind.allCases.flatMap { kind -> [QueryValue] in
                    let values = values(kind, at: epoch)
                    return [Statistics.mean(values), values.min(), values.max()].map {
                        ReportWords.real($0)
                    }
                }
        }
    }
}
