import FathomCore

/// `seeds` and `compare`.
extension ManifestReader {
    func readSeeds(_ node: ManifestNode?) -> SeedSettings {
        guard let node else { return .together([0, 1, 2]) }
        switch node.content {
        case .scalar:
            let count = problems.whole(node, "seeds", in: 1...Limits.seeds) ?? 1
            return .together((0..<count).map(UInt64.init))
        case .list: return .together(numbers(node, "seeds"))
        case .map: return seedsApart(node)
        }
    }

    private func seedsApart(_ node: ManifestNode) -> SeedSettings {
        guard let section = SectionReader(node, "seeds", problems) else { return .together([0]) }
        section.checkKeys(["data", "poison", "train", "sal"])
        let parts = ["data", "poison", "train", "sal"].map { key in
            section.node(key).map { numbers($0, section.field(key)) } ?? [0]
        }
        let seeds = SeedSettings.apart(
            data: parts[0], poison: parts[1], train: parts[2], sal: parts[3])
        let count = parts.reduce(1) { product, part in
            product.multipliedReportingOverflow(by: part.count).overflow
                ? Int.max : product &* part.count
        }
        if count > Limits.seeds {
            problems.refuse(node, "seeds", "it multiplies out to more than \(Limits.seeds) runs")
        }
        return seeds
    }

    /// Distinct seeds, as many as are written.
    private func numbers(_ node: ManifestNode, _ field: String) -> [UInt64] {
        let items = node.items
        guard !items.isEmpty, items.count <= Limits.seeds else {
            problems.refuse(node, field, "it needs from 1 to \(Limits.seeds) seeds")
            return [0]
        }
        return Axes.read(node, field, problems) { item, path in
            problems.whole(item, path, in: 0...Limits.seedMax).map { [UInt64($0)] } ?? []
        }
    }

    func readCompare(_ node: ManifestNode?) -> ComparisonSettings {
        let usual = ComparisonSettings()
        guard let node, let section = SectionReader(node, "compare", problems) else {
            return usual
        }
        section.checkKeys(["baseline", "threshold", "controls"])
        let controls = section.list("controls", default: usual.controls) { node, field in
            problems.choice(node, field, among: capabilities.methods.map(\.name))
        }
        return ComparisonSettings(
            baseline: section.choice(
                "baseline", among: ComparisonSettings.Baseline.allCases, default: usual.baseline),
            threshold: section.choice(
                "threshold", among: ComparisonSettings.Threshold.allCases,
                default: usual.threshold),
            controls: controls)
    }
}
