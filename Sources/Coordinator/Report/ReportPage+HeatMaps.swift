import FathomCore
import FathomPage

extension ReportPage {
    /// SAL of single runs, each beside the clean run it is compared with.
    var salHeatMaps: Markup {
        guard !selection.pairs.isEmpty, !data.matrices.isEmpty else { return .nothing }
        let all = HeatMapSheet(data, selection: selection, limits: limits)
        let figures = selection.groups.indices.compactMap { all.figure($0) }
        guard !figures.isEmpty else { return .nothing }
        return Markup(
            joining: [
                Markup("p") {
                    "How far the loss can move when one layer's weights move a little: bright "
                    "layers still hold something to learn. Each picture has the clean run at the "
                    "left and the treated one of the same seed at the right; a dot marks what "
                    "lies above the threshold β, and UD is the number of dots at the right over "
                    "that at the left."
                },
                selection.pairs.count < selection.pairCount
                    ? Markup("p", ["class": "soft"]) {
                        "\(selection.pairs.count) of \(Numeral.count(selection.pairCount)) runs are "
                        "drawn, the first seeds first; fathom export writes all."
                    } : .nothing,
                Markup(joining: figures.map(\.markup)),
            ])
    }
}

/// Draws the heat maps of a report.
private struct HeatMapSheet {
    let data: ReportData
    let selection: ReportSelection
    let limits: ReportLimits
    private var matrices: [String: ReportMatrix] = [:]
    /// Complete runs, with the losses that walks start from.
    private var runs: [String: SALMatrix] = [:]

    init(_ data: ReportData, selection: ReportSelection, limits: ReportLimits) {
        self.data = data
        self.selection = selection
        self.limits = limits
        for matrix in data.matrices { matrices["\(matrix.cell) \(matrix.seed)"] = matrix }
        for cell in data.cells {
            for run in cell.runs where matrices["\(cell.label) \(run.seed)"] != nil {
                runs["\(cell.label) \(run.seed)"] = run.matrix
            }
        }
    }

    private func matrix(_ cell: String?, _ seed: Int) -> ReportMatrix? {
        cell.flatMap { matrices["\($0) \(seed)"] }
    }

    func figure(_ index: Int) -> Figure? {
        let group = selection.groups[index]
        let pairs = selection.pairs.filter {
            $0.group == index && matrix($0.row.cell, $0.seed) != nil
        }
        guard !pairs.isEmpty else { return nil }
        let drawn = pairs.flatMap { pair in
            [matrix(pair.row.cell, pair.seed), matrix(pair.clean, pair.seed)].compactMap { $0 }
        }
        let scale = HeatMapSheet.scale(drawn)
        let judged = pairs.compactMap { data.thresholds[$0.row.cell]?[$0.seed] }
        let bar = ColorBar(
            ChartName(
                id: "heat-\(group.id)-bar", title: "Colours of SAL",
                description: "Dark is low, bright is high, on a logarithmic scale."),
            scale: scale,
            marks: ReportThresholds.mark(judged))
        var panels = [bar.svg]
        var isThinned = false
        for pair in pairs {
            let (panel, thinned) = panel(pair, group: group, scale: scale)
            panels.append(panel)
            isThinned = isThinned || thinned
        }
        return Figure(
            id: "heat-\(group.id)", title: group.title,
            caption: Markup(
                text: "SAL by layer (downwards) and measured epoch (across), in nats, one scale of "
                    + "colours for all."
                    + (isThinned ? " Long runs show some of their epochs." : "")),
            panels: panels, download: download(group, drawn))
    }

    private func panel(
        _ pair: ReportSelection.Pair, group: ReportSelection.Group, scale: Axis
    ) -> (Markup, isThinned: Bool) {
        let own = matrix(pair.row.cell, pair.seed)
        let clean = matrix(pair.clean, pair.seed)
        let threshold = data.thresholds[pair.row.cell]?[pair.seed]
        let layers = own?.layers ?? []
        let epochs = own?.epochs ?? []
        let room = max(2, limits.heatMapCells / max(layers.count, 1))
        let stride = max(1, (epochs.count + room - 1) / room)
        let shown = epochs.indices.filter { $0 % stride == 0 || $0 == epochs.count - 1 }
        func side(_ matrix: ReportMatrix?, _ title: String) -> HeatMap.Panel {
            let bounds = thresholds(matrix, threshold)
            let places = Dictionary(
                (matrix?.epochs ?? []).enumerated().map { ($0.element, $0.offset) },
                uniquingKeysWith: { first, _ in first })
            let values = layers.indices.map { layer in
                shown.map { index -> Double? in
                    guard let matrix, let place = places[epochs[index]],
                        layer < matrix.values.count
                    else { return nil }
                    return matrix.values[layer][place]
                }
            }
            let levels = layers.indices.map { layer in
                shown.map { index in
                    places[epochs[index]].flatMap { place in
                        layer < bounds.count ? bounds[layer][place] : nil
                    }
                }
            }
            return HeatMap.Panel(
                title: title, columns: shown.map { "\(epochs[$0])" }, values: values,
                thresholds: levels)
        }
        let name = ChartName(
            id: "heat-\(group.id)-\(pair.row.cell)-\(pair.seed)",
            title: "SAL of \(pair.row.method), seed \(pair.seed), beside clean training",
            description: description(own, clean, threshold, method: pair.row.method))
        let chart = HeatMap(
            name, rows: layers, columnLabel: "epoch",
            panels: [
                side(clean, clean == nil ? "no clean run" : "clean, seed \(pair.seed)"),
                side(own, pair.row.method),
            ], scale: scale)
        return (chart.svg, stride > 1)
    }

    /// What each value of a run is judged by; empty where it cannot be told: single filters are
    /// judged, but layers are drawn.
    private func thresholds(
        _ matrix: ReportMatrix?, _ threshold: LearnableThreshold?
    ) -> [[Double?]] {
        guard let matrix, let threshold else { return [] }
        let whole = runs["\(matrix.cell) \(matrix.seed)"]
        if let whole, whole.layerCount != matrix.layers.count { return [] }
        return matrix.layers.indices.map { layer in
            matrix.epochs.map { epoch -> Double? in
                guard let beta = threshold.beta(atEpoch: epoch) else { return nil }
                guard threshold.isRelative else { return beta }
                guard let whole, let row = whole.epochs.firstIndex(of: epoch),
                    !whole.originLosses.isEmpty
                else { return nil }
                return beta * whole.originLosses[row * whole.layerCount + layer]
            }
        }
    }

    private func description(
        _ own: ReportMatrix?, _ clean: ReportMatrix?, _ threshold: LearnableThreshold?,
        method: String
    ) -> String {
        guard threshold != nil else { return "The threshold is not known yet." }
        func above(_ matrix: ReportMatrix?) -> Int {
            let levels = thresholds(matrix, threshold).joined()
            return zip((matrix?.values ?? []).joined(), levels).count { value, level in
                value.flatMap { value in level.map { value > $0 } } ?? false
            }
        }
        return "\(above(own)) of \((own?.values ?? []).joined().count) values of \(method) lie "
            + "above the threshold; of clean training \(above(clean))."
    }

    /// Four decades at most, so that tiny values do not take all colours.
    private static func scale(_ matrices: [ReportMatrix]) -> Axis {
        let values = matrices.flatMap { $0.values.joined().compactMap { $0 } }
        let top = values.max() ?? 1
        let kept = values.filter { $0 >= max(top, 1e-12) * 1e-4 }
        return Axis("SAL (nats)", covering: kept, kind: .log, padding: 0)
    }

    private func download(
        _ group: ReportSelection.Group, _ matrices: [ReportMatrix]
    ) -> Download {
        let methods = Dictionary(
            data.rows.map { ($0.cell, $0.method) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        var rows: [[QueryValue]] = []
        for matrix in matrices where seen.insert("\(matrix.cell) \(matrix.seed)").inserted {
            for (layer, name) in matrix.layers.enumerated() {
                for (place, epoch) in matrix.epochs.enumerated() {
                    rows.append([
                        .text(matrix.cell), .text(methods[matrix.cell] ?? ""),
                        .integer(Int64(matrix.seed)), .integer(Int64(epoch)), .text(name),
                        ReportWords.real(matrix.values[layer][place]),
                    ])
                }
            }
        }
        return Download(
            fileName: "sal-\(group.id).csv",
            csv: ReportWords.csv(["cell", "method", "seed", "epoch", "layer", "sal"], rows))
    }
}
