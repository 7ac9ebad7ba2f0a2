import FathomCore
import FathomPage

extension ReportPage {
    /// UD against the task's metric, a point a method.
    var scatter: Markup {
        let groups = selection.groups.filter { group in
            group.rows.count { $0.ud != nil && $0.metric != nil } > 1
        }
        guard !groups.isEmpty else { return .nothing }
        return Figure(
            id: "scatter", title: "UD against the task's metric",
            caption: Markup(
                text: "If UD measured the same as the metric, points would lie on a rising line "
                    + "(a falling one where lower is better). Bars are 95 % intervals over seeds, "
                    + "the shaded band is where harmless controls lie: within it, a method is not "
                    + "told apart from no poison at all."),
            panels: groups.map(panel),
            download: Download(
                fileName: "ud-against-metric.csv",
                csv: ReportWords.csv(
                    [
                        "group", "cell", "method", "role", "metricName", "metric", "metricLow",
                        "metricHigh", "ud", "udLow", "udHigh",
                    ], groups.flatMap(values)))
        ).markup
    }

    private func panel(_ group: ReportSelection.Group) -> Markup {
        let rows = group.rows.filter { $0.ud != nil && $0.metric != nil }
        let points = rows.compactMap { row -> ScatterChart.Point? in
            guard let ud = row.ud, let metric = row.metric else { return nil }
            return ScatterChart.Point(
                name: row.method, style: styles.style(row.method), x: metric, y: ud,
                xInterval: row.metricInterval, yInterval: row.udInterval)
        }
        let control = rows.compactMap(\.control).first
        // Student's interval of two seeds is wider than any page; the points set the range.
        let xs = points.map(\.x)
        let spread = max((xs.max() ?? 1) - (xs.min() ?? 0), 1e-9)
        let nearest = ((xs.min() ?? 0) - 0.3 * spread)...((xs.max() ?? 1) + 0.3 * spread)
        var bounds: [Double] = []
        for interval in rows.compactMap(\.metricInterval) {
            bounds += [interval.low, interval.high].filter(nearest.contains)
        }
        var ys: [Double] = []
        for point in points {
            ys += [point.y, point.yInterval?.low ?? point.y, point.yInterval?.high ?? point.y]
        }
        let agreement =
            LeaderboardVerdict(group: .init(title: group.title, order: .ud, rows: rows)).agreement
            ?? "Rank agreement takes three methods or more with both values."
        let words = points.map { point in
            "\(point.name): \(Numeral.fixed(point.x, 3)) and UD \(Numeral.fixed(point.y, 3))"
        }
        let edges = [0, 1, control?.low, control?.high].compactMap { $0 }
        let chart = ScatterChart(
            ChartName(
                id: "scatter-\(group.id)",
                title: "UD against \(ReportWords.metric(group.metricName)), \(group.title)",
                description: words.joined(separator: "; ") + ". " + agreement),
            x: Axis(ReportWords.metric(group.metricName), covering: xs + bounds, padding: 0.08),
            y: Axis("UD", covering: ys + edges), points: points, band: control, level: 1)
        return titled(group.title) {
            chart.svg
            Markup("p", ["class": "caption"]) { agreement }
        }
    }

    private func values(_ group: ReportSelection.Group) -> [[QueryValue]] {
        group.rows.filter { $0.ud != nil && $0.metric != nil }.map { row in
            let named: [QueryValue] = [
                .text(group.title), .text(row.cell), .text(row.method), .text(row.role.rawValue),
                .text(row.metricName),
            ]
            return named
                + [
                    row.metric, row.metricInterval?.low, row.metricInterval?.high, row.ud,
                    row.udInterval?.low, row.udInterval?.high,
                ].map { ReportWords.real($0) }
        }
    }
}
