/// Ground truth of Taskonomy in the units that tasks take it in.
extension TaskonomySet {
    /// Levels at and above which responses are told as 1, of 65,536.
    private static let edgeMax = 0.08
    private static let keypointMax = 0.005

    /// What is known of the images at these positions; only what the tasks ask for is read.
    func maps(
        _ part: DataSet.Part, _ positions: [Int], for tasks: [TaskKind], losses: [TaskLoss] = []
    ) throws(DataError) -> SceneMaps {
        var maps = SceneMaps(count: positions.count, height: index.side, width: index.side)
        maps.smallestRadius = 0.03
        let here = Set(index.domains)
        if here.contains(.maskValid) {
            maps.valid = try bytes(.maskValid, part, positions).map { $0 == 255 ? 1 : 0 }
        } else {
            maps.valid = maps.valid.map { _ in 1 }
        }
        if tasks.contains(.sem), here.contains(.semantic) {
            maps.semantic = try bytes(.semantic, part, positions)
            maps.semanticWeights = Self.priorWeights
        }
        if losses.contains(where: { $0 == .soft || $0 == .square }) {
            maps.classShares = try classShares(part, positions)
        }
        if tasks.contains(.seg2d), here.contains(.segments2D) {
            maps.segments = numbered(try bytes(.segments2D, part, positions))
        }
        if tasks.contains(.depth) {
            try addDepth(to: &maps, part, positions, here)
        }
        if tasks.contains(.normal), here.contains(.normal) {
            addNormals(to: &maps, try bytes(.normal, part, positions))
        }
        if tasks.contains(.reshade), here.contains(.reshading) {
            maps.reshading = try bytes(.reshading, part, positions).map {
                Float($0) * (2 / 255) - 1
            }
        }
        if tasks.contains(.curv), here.contains(.curvature) {
            maps.curvatures = try bytes(.curvature, part, positions).map {
                (Float($0) / 127 - 1) / 0.03
            }
        }
        if tasks.contains(.edge), here.contains(.edgeTexture) {
            maps.edges = responses(try levels(.edgeTexture, part, positions), Self.edgeMax)
        }
        if tasks.contains(.kp2d), here.contains(.keypoints2D) {
            maps.keypoints = responses(
                try levels(.keypoints2D, part, positions), Self.keypointMax)
        }
        return maps
    }

    /// How much Taskonomy has its semantic classes weigh: background least, and then the sixteen
    /// kinds of object, from bottle to vase.
    private static let priorWeights: [Float] = [
        0.5424, 9.1674, 7.3310, 7.1620, 8.7229, 7.6133, 8.2369, 9.1486, 8.8220, 9.0858, 8.9141,
        9.1772, 9.0354, 8.6039, 9.1699, 9.1467, 9.1374,
    ]

    /// How likely each class that is told apart is; what is not told apart is "other" together. Of
    /// a set without that class the rest is left out, and what is left comes to 1.
    private func classShares(_ part: DataSet.Part, _ positions: [Int]) throws(DataError) -> [Float]
    {
        let labeller = index.domains.contains(.scene) ? TaskonomyDomain.scene : .object
        let stored = try shares(labeller, part, positions)
        let count = labeller.classCount
        return stride(from: 0, to: stored.count, by: count).flatMap { start -> [Float] in
            let own = stored[start..<(start + count)].map { Double($0) }
            let kept = index.kept.map { own[$0] }
            let total = kept.reduce(0, +)
            guard index.classCount > kept.count else {
                return kept.map { Float(total > 0 ? $0 / total : 1 / Double(kept.count)) }
            }
            return kept.map { Float($0) } + [Float(max(0, own.reduce(0, +) - total))]
        }
    }

    private func addDepth(
        to maps: inout SceneMaps, _ part: DataSet.Part, _ positions: [Int],
        _ here: Set<TaskonomyDomain>
    ) throws(DataError) {
        func metres(_ levels: [Int32]) -> [Float] {
            levels.map {
                $0 < TaskonomyDomain.depthLevelsMax ? Float($0) / TaskonomyDomain.depthLevels : 0
            }
        }
        if here.contains(.depthEuclidean) {
            let levels = try levels(.depthEuclidean, part, positions)
            // A distance of 0 is no surface that a relative error could be taken of.
            maps.depthValid = levels.map {
                $0 > 0 && $0 < TaskonomyDomain.depthLevelsMax ? 1 : 0
            }
            maps.depth = metres(levels)
        }
        if here.contains(.depthZBuffer) {
            maps.depthAlongAxis = metres(try levels(.depthZBuffer, part, positions))
        }
    }

    /// Components from bytes, brought back to length 1.
    private func addNormals(to maps: inout SceneMaps, _ stored: [UInt8]) {
        let plane = index.side * index.side
        var valid = [UInt8](repeating: 0, count: maps.count * plane)
        for image in 0..<maps.count {
            for pixel in 0..<plane {
                let from = 4 * image * plane + pixel
                let known = stored[from + 3 * plane]
                valid[image * plane + pixel] = known
                let raw = SIMD3<Float>(
                    Float(stored[from]), Float(stored[from + plane]),
                    Float(stored[from + 2 * plane]))
                let vector = raw * (2 / 255) - 1
                let length = (vector * vector).sum().squareRoot()
                guard known == 1, length > 0 else { continue }
                for channel in 0..<3 {
                    maps.normals[(3 * image + channel) * plane + pixel] = vector[channel] / length
                }
            }
        }
        maps.normalValid = valid
    }

    /// From levels of 65,535 to -1...1, cut at a share of it.
    private func responses(_ levels: [Int32], _ most: Double) -> [Float] {
        levels.map { Float(min(Double($0) / 65_535, most) / most * 2 - 1) }
    }

    /// Segments numbered anew in every image.
    private func numbered(_ stored: [UInt8]) -> [UInt8] {
        let plane = index.side * index.side
        return stride(from: 0, to: stored.count, by: plane).flatMap { start in
            PixelSegments.renumbered(stored[start..<(start + plane)].map { Int($0) })
        }
    }
}
