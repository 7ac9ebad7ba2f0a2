import FathomPage

/// One look for each method, the same in every figure.
struct ReportStyles {
    private var styles: [String: SeriesStyle] = [:]

    /// - Parameter rows: In the order of the plan.
    init(_ rows: [LeaderboardRow]) {
        var (controls, methods) = (0, 0)
        for row in rows where styles[row.method] == nil {
            switch row.role {
            case .clean: styles[row.method] = .reference
            case .control:
                styles[row.method] = .control(controls)
                controls += 1
            case .method:
                styles[row.method] = .series(methods)
                methods += 1
            }
        }
    }

    func style(_ method: String) -> SeriesStyle { styles[method] ?? .reference }

    func key(_ rows: [LeaderboardRow]) -> [Figure.Key] {
        var seen: Set<String> = []
        return rows.filter { seen.insert($0.method).inserted }.map {
            Figure.Key(name: $0.method, style: style($0.method))
        }
    }
}

/// The words and numbers of a report.
enum ReportWords {
    /// A metric with its unit, as axes call it.
    static func metric(_ name: String) -> String {
        switch name {
        case "accuracy": "test accuracy"
        case "mIoU": "test mIoU"
        case "pairAccuracy": "test pair accuracy"
        case "abs": "test depth error"
        case "meanAngle": "test mean angle (degrees)"
        case "pearson": "test Pearson r"
        case "l1": "test L1 error"
        case "l2": "test L2 error"
        case "loss": "test loss (nats)"
        default: "test \(name)"
        }
    }

    static func task(_ name: String) -> String {
        switch name {
        case "cls": "classification"
        case "sem": "semantic segmentation"
        case "seg2d": "2D segmentation"
        case "depth": "depth"
        case "normal": "surface normals"
        case "edge": "edges"
        case "kp2d": "keypoints"
        case "ae": "autoencoding"
        case "reshade": "reshading"
        case "curv": "curvature"
        default: name
        }
    }

    static func role(_ role: LeaderboardRow.Role) -> String {
        switch role {
        case .clean: "clean"
        case .control: "control"
        case .method: "method"
        }
    }

    static func list(_ words: [String], max: Int = 8) -> String {
        let shown = Array(words.prefix(max))
        let rest = words.count - shown.count
        let all = rest > 0 ? shown + ["\(rest) more"] : shown
        guard let last = all.last else { return "none" }
        return all.count == 1 ? last : all.dropLast().joined(separator: ", ") + " and " + last
    }

    static func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(Numeral.count(count)) \(count == 1 ? one : many ?? one + "s")"
    }

    /// Comma-separated values of a table whose cells are numbers and text.
    static func csv(_ columns: [String], _ rows: [[QueryValue]]) -> String {
        ([columns] + rows.map { $0.map(\.text) }).map(CSVText.line).joined()
    }

    static func real(_ value: Double?) -> QueryValue {
        value.flatMap { $0.isFinite ? .real($0) : nil } ?? .null
    }
}
