import FathomCore

extension ManifestReader {
    private static let landscapeKeys = [
        "planes", "points", "span", "margin", "images", "batch", "data", "runs",
    ]

    /// Absent: no landscapes are sampled.
    func readLandscape(_ node: ManifestNode?) -> LandscapeSweepSettings? {
        guard let node, !node.isNull, let section = SectionReader(node, "landscape", problems)
        else { return nil }
        section.checkKeys(Self.landscapeKeys)
        let kinds = readPlanes(section)
        let effects = EffectTracker(problems)
        defer { effects.report() }
        var (span, margin) = (
            section.number("span", in: .above(0, upTo: 100), default: 1.0),
            section.number("margin", in: .from(0, to: 100), default: 0.25)
        )
        effects.note(
            section, "span", counts: kinds.contains(.random), needs: "planes: [random]", &span, 1)
        effects.note(
            section, "margin", counts: kinds.contains(.trajectory), needs: "planes: [trajectory]",
            &margin, 0.25)
        let points = readPoints(section)
        let planes = kinds.map { kind in
            LandscapeSettings(
                plane: kind, points: points, reach: kind == .random ? span : margin,
                images: section.whole("images", in: 1...Limits.images, default: 256),
                batch: section.whole("batch", in: 1...Limits.images, default: 64),
                data: section.choice("data", among: SALSettings.Source.allCases, default: .train))
        }
        return LandscapeSweepSettings(
            planes: planes, runs: section.whole("runs", in: 1...Limits.seeds, default: 1))
    }

    private func readPlanes(_ section: SectionReader) -> [LandscapeSettings.Plane] {
        let names = LandscapeSettings.Plane.allCases.map(\.rawValue)
        let kinds = section.list("planes", default: LandscapeSettings.Plane.allCases) {
            node, path in
            problems.choice(node, path, among: names, later: [])
                .flatMap(LandscapeSettings.Plane.init(rawValue:))
        }
        if kinds.isEmpty, let node = section.node("planes") {
            problems.refuse(
                node, "landscape.planes", "it must name \(names.joined(separator: " or ")), or both"
            )
        }
        return kinds
    }

    private func readPoints(_ section: SectionReader) -> Int {
        let points = section.whole("points", in: 3...201, default: 25)
        if points.isMultiple(of: 2), let node = section.node("points") {
            problems.refuse(
                node, "landscape.points",
                "it must be odd, so that a point lies at the checkpoint itself")
        }
        return points
    }
}

extension LandscapeSweepSettings {
    var tree: SettingTree {
        let first = planes.first
        func reach(_ kind: LandscapeSettings.Plane) -> [SettingTree.Entry] {
            planes.filter { $0.plane == kind }.map {
                .init(kind == .random ? "span" : "margin", .number($0.reach))
            }
        }
        return .map(
            [
                .init("planes", .list(planes.map { .text($0.plane.rawValue) })),
                .init("points", .whole(first?.points ?? 25)),
            ] + reach(.random) + reach(.trajectory) + [
                .init("images", .whole(first?.images ?? 256)),
                .init("batch", .whole(first?.batch ?? 64)),
                .init("data", .text((first?.data ?? .train).rawValue)),
                .init("runs", .whole(runs)),
            ])
    }
}
