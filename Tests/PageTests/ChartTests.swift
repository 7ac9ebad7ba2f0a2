import FathomCore
import FathomPage
import Foundation
import Testing

@Suite("Charts")
struct ChartTests {
    private func name(_ id: String, _ text: String = "a chart") -> ChartName {
        ChartName(id: id, title: text, description: "what is seen: " + text)
    }

    private func everyChart(_ text: String) -> [Markup] {
        let axis = Axis(text, covering: [0.1, 2.0])
        let log = Axis(text, covering: [0.001, 2.0], kind: .log)
        let style = SeriesStyle.series(3)
        return [
            LineChart(
                name("line", text), x: axis, y: log,
                series: [
                    .init(
                        name: text, style: style,
                        points: [
                            .init(x: 0.1, y: 0.5, low: 0.4, high: 0.6), .init(x: 1, y: nil),
                            .init(x: 2, y: 1, low: 0.5, high: 1.5), .init(x: 2, y: .nan),
                        ])
                ], levels: [.init(label: text, value: 0.2)]
            ).svg,
            ScatterChart(
                name("scatter", text), x: axis, y: axis,
                points: (0..<9).map {
                    .init(
                        name: text, style: .series($0), x: 1, y: 1,
                        xInterval: Interval(low: 0.5, high: 1.5))
                }, band: Interval(low: 0.8, high: 1.2), level: 1
            ).svg,
            HeatMap(
                name("heat", text), rows: [text, "fc"], columnLabel: text,
                panels: [
                    .init(
                        title: text, columns: ["1", text], values: [[0.1, nil], [3, 0.5]],
                        thresholds: [[0.4, 0.4], [0.4, nil]]),
                    .init(title: "empty", columns: [], values: [[], []]),
                ], scale: log
            ).svg,
            ColorBar(name("bar", text), scale: log, marks: [(text, 0.4)]).svg,
            Ridges(
                name("ridges", text), axis: log,
                ridges: [
                    .init(name: text, style: .reference, shares: [0.2, 0, 0.8], remark: text),
                    .init(name: "nothing", style: .control(0), shares: [], remark: ""),
                ], marks: [(text, 0.3)], remarkTitle: text
            ).svg,
            IntervalChart(
                name("intervals", text), axis: axis,
                rows: [
                    .init(
                        name: text,
                        values: [
                            .init(
                                name: text, style: style, value: 1,
                                interval: Interval(low: 0.5, high: 1.2))
                        ]), .init(name: "nothing", values: []),
                ], band: Interval(low: 0.9, high: 1.1), level: 1
            ).svg,
            ContourChart(
                name("contour", text), x: ContourChart.axis(text, over: [0, 1, 2]),
                y: ContourChart.axis(text, over: [0, 1]),
                grid: .init(xs: [0, 1, 2], ys: [0, 1], values: [[1, 0.1, 1], [0.1, nil, 0.1]]),
                scale: log, path: [(0, 0), (1, 1)]
            ).svg,
        ]
    }

    @Test(
        "every chart is well-formed, says what it shows, and takes any name",
        arguments: Hostile.names.indices)
    func chartsAreStrict(number: Int) {
        let text = Hostile.names[number]
        for chart in everyChart(text) {
            let parsed = StrictXML(chart.source)
            #expect(parsed.problem == nil, "\(chart.source.prefix(200))")
            let root = parsed.elements[0]
            #expect(root.name == "svg" && root.attributes["role"] == "img")
            let id = root.attributes["id"] ?? ""
            #expect(root.attributes["aria-labelledby"] == "\(id)-t \(id)-d")
            #expect(parsed.all("title").first?.attributes["id"] == "\(id)-t")
            #expect(parsed.all("desc").first?.attributes["id"] == "\(id)-d")
            #expect(parsed.all("script").isEmpty && parsed.all("img").isEmpty)
            #expect(!chart.source.contains("nan") && !chart.source.contains("inf"))
        }
    }

    @Test("a heat map marks exactly what lies above the threshold")
    func heatMapMarks() {
        let chart = HeatMap(
            name("h"), rows: ["a", "b"], columnLabel: "epoch",
            panels: [
                .init(
                    title: "run", columns: ["2", "4", "6"],
                    values: [[0.5, 0.50001, 2], [nil, 0.1, 0.7]],
                    thresholds: [[0.5, 0.5, 0.5], [0.5, 0.05, nil]])
            ], scale: Axis("SAL", covering: [0.1, 2], kind: .log))
        #expect(StrictXML(chart.svg.source).all("circle").count == 3)
    }

    @Test("points lie where their values say")
    func scatterPlaces() throws {
        let axis = Axis("x", from: 0, to: 1)
        let chart = ScatterChart(
            name("s"), x: axis, y: axis,
            points: [(0.0, 0.0), (1, 1), (0.5, 0.25)].map {
                .init(name: "p", style: .series(0), x: $0.0, y: $0.1)
            })
        let circles = StrictXML(chart.svg.source).all("circle").compactMap { circle in
            circle.attributes["cx"].flatMap(Double.init).flatMap { x in
                circle.attributes["cy"].flatMap(Double.init).map { (x, $0) }
            }
        }
        try #require(circles.count == 3)
        let (origin, end, middle) = (circles[0], circles[1], circles[2])
        #expect(abs(middle.0 - (origin.0 + end.0) / 2) < 0.11)
        #expect(abs(middle.1 - (origin.1 + 0.25 * (end.1 - origin.1))) < 0.11)
        #expect(end.1 < origin.1, "larger values lie higher")
    }

    @Test("contours of a plane are straight and lie between their neighbours")
    func contourOfPlane() throws {
        let places = (0..<5).map(Double.init)
        let chart = ContourChart(
            name("c"), x: ContourChart.axis("x", over: places),
            y: ContourChart.axis("y", over: places),
            grid: .init(
                xs: places, ys: places, values: places.map { _ in places.map { $0 } }),
            scale: Axis("loss", from: 0, to: 4), lineCount: 1)
        let paths = StrictXML(chart.svg.source).all("path")
        let line = try #require(
            paths.first { $0.attributes["class"]?.hasPrefix("contour") ?? false })
        let numbers = try #require(line.attributes["d"]).split { !"0123456789.".contains($0) }
            .compactMap { Double($0) }
        // The level 2 runs upwards through the column of points at 2, the middle of the frame.
        let xs = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
        #expect(xs.count == 8 && xs.allSatisfy { abs($0 - (50 + 336 / 2)) < 0.11 }, "\(xs)")
    }
}
