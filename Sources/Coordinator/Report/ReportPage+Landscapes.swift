import FathomCore
import FathomPage

extension ReportPage {
    /// The loss on planes through the weights, where the sweep sampled any.
    var landscapes: Markup {
        let planes = data.landscapes.filter { !$0.points.isEmpty }
        guard !planes.isEmpty else { return .nothing }
        let rows = Dictionary(
            data.rows.map { ($0.cell, $0) }, uniquingKeysWith: { first, _ in first })
        let groups = Leaderboard(data.rows).groups.map {
            (title: $0.title, cells: $0.rows.map(\.cell))
        }
        let unknown = planes.map(\.cell).filter { rows[$0] == nil }
        let others = (title: "not merged yet", cells: unknown)
        let figures = ReportPage.planeKinds.flatMap { kind in
            (groups + [others]).enumerated().compactMap { index, group -> Markup? in
                let drawn = planes.filter { $0.plane == kind.name && group.cells.contains($0.cell) }
                return drawn.isEmpty
                    ? nil : surfaces(drawn, rows, kind, of: (group.title, "g\(index + 1)"))
            }
        }
        return Markup(joining: figures + [undrawn(planes.count)].compactMap { $0 })
    }

    /// How planes of one kind are introduced.
    private struct PlaneKind {
        var name: String
        var title: String
        var caption: String
    }

    private static let planeKinds = [
        PlaneKind(
            name: "trajectory", title: "On the plane of the run's own path",
            caption: trajectoryCaption),
        PlaneKind(
            name: "random", title: "On random planes around the last checkpoint",
            caption: randomCaption),
    ]

    /// Planes that may be compared, in the same colours.
    private func surfaces(
        _ planes: [ReportLandscape], _ rows: [String: LeaderboardRow], _ kind: PlaneKind,
        of group: (title: String, id: String)
    ) -> Markup {
        let id = "landscape-\(kind.name)-\(group.id)"
        let scale = ReportPage.lossScale(planes)
        let bar = ColorBar(
            ChartName(
                id: "\(id)-bar", title: "Colours of the loss",
                description: "Dark is low, bright is high."), scale: scale)
        return Figure(
            id: id, title: "\(kind.title): \(group.title)", caption: Markup(text: kind.caption),
            panels: [bar.svg] + planes.map { panel($0, rows[$0.cell], scale: scale) },
            download: Download(
                fileName: "\(id).csv",
                csv: ReportWords.csv(
                    ["cell", "method", "seed", "epoch", "x", "y", "loss"],
                    planes.flatMap { values($0, rows[$0.cell]) }))
        ).markup
    }

    /// Says what is left out.
    private func undrawn(_ drawn: Int) -> Markup? {
        guard data.landscapeCount > drawn else { return nil }
        return Markup("p", ["class": "soft"]) {
            "\(drawn) of \(data.landscapeCount) planes are drawn, those of the first seeds first; "
            "all are in the store's views lossPlane and lossSurface."
        }
    }

    private static let trajectoryCaption = """
        The two directions along which a run's checkpoints spread most (principal components), \
        with the loss around them on the run's own training images and the checkpoints in order; \
        the large mark is the last. The shares of the spread that the directions explain stand at \
        the axes.
        """
    private static let randomCaption = """
        Two random directions, scaled filter by filter to the weights, around the last checkpoint \
        in the middle. A wide dark basin is flat: moving the weights changes little.
        """

    /// Logarithmic where losses span more than a decade.
    private static func lossScale(_ planes: [ReportLandscape]) -> Axis {
        let losses = planes.flatMap { $0.points.compactMap(\.loss) }
        let (low, high) = (losses.min() ?? 0, losses.max() ?? 1)
        let isWide = low > 0 && high > 10 * low
        // A few steep corners must not take all colours.
        let sorted = losses.sorted()
        let top = sorted.isEmpty ? 1 : sorted[Int(0.98 * Double(sorted.count - 1))]
        return Axis(
            "loss (nats)", covering: losses.filter { $0 <= top }, kind: isWide ? .log : .linear,
            padding: 0)
    }

    private func panel(
        _ plane: ReportLandscape, _ row: LeaderboardRow?, scale: Axis
    ) -> Markup {
        let xs = Set(plane.points.map(\.x)).sorted()
        let ys = Set(plane.points.map(\.y)).sorted()
        let columns = Dictionary(uniqueKeysWithValues: xs.enumerated().map { ($1, $0) })
        let lines = Dictionary(uniqueKeysWithValues: ys.enumerated().map { ($1, $0) })
        var values = [[Double?]](repeating: Array(repeating: nil, count: xs.count), count: ys.count)
        for point in plane.points {
            if let line = lines[point.y], let column = columns[point.x] {
                values[line][column] = point.loss
            }
        }
        func label(_ name: String, _ share: Double?) -> String {
            guard let share else { return "\(name) (norms of the filters)" }
            return "\(name) (L2 distance; \(Numeral.fixed(share * 100, 0)) % of the spread)"
        }
        let method = row?.method ?? plane.cell
        let losses = plane.points.compactMap(\.loss)
        let chart = ContourChart(
            ChartName(
                id: "landscape-\(plane.plane)-\(plane.cell)-\(plane.seed)",
                title: "Loss around \(method), seed \(plane.seed), epoch \(plane.epoch)",
                description: "The loss reaches from \(Numeral.short(losses.min() ?? 0)) to "
                    + "\(Numeral.short(losses.max() ?? 0)) nats on \(plane.points.count) points."),
            x: ContourChart.axis(label("first direction", plane.explainedX), over: xs),
            y: ContourChart.axis(label("second direction", plane.explainedY), over: ys),
            grid: ContourChart.Grid(xs: xs, ys: ys, values: values), scale: scale,
            path: plane.steps.map { ($0.x, $0.y) })
        return Markup("div") {
            Markup("p", ["class": "panel-title"]) { "\(method), seed \(plane.seed)" }
            chart.svg
        }
    }

    private func values(_ plane: ReportLandscape, _ row: LeaderboardRow?) -> [[QueryValue]] {
        plane.points.map { point in
            [
                .text(plane.cell), .text(row?.method ?? ""), .integer(Int64(plane.seed)),
                .integer(Int64(plane.epoch)), .real(point.x), .real(point.y),
                ReportWords.real(point.loss),
            ]
        }
    }
}
