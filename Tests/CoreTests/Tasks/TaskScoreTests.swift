import FathomCore
import Foundation
import Testing

/// Metrics on cases worked out by hand, and what must hold of any.
@Suite("task metrics")
struct TaskScoreTests {
    private func values(
        _ kind: TaskKind, _ target: Objective.Target, _ prediction: [Float], images: Int = 1,
        channels: Int = 1, plane: Int
    ) -> [String: Double] {
        var score = TaskScore(kind, target: target, channels: channels, plane: plane)
        score.add(prediction, of: 0..<images)
        #expect(score.metrics.first?.name == kind.mainMetric.name)
        return Dictionary(
            uniqueKeysWithValues: score.metrics.compactMap { m in m.value.map { (m.name, $0) } })
    }

    private func near(_ left: Double?, _ right: Double, _ tolerance: Double = 1e-6) -> Bool {
        left.map { abs($0 - right) <= tolerance } ?? false
    }

    private func planes(
        _ values: [Float], mask: [UInt8]? = nil, _ loss: PlaneTarget.Loss = .absolute
    ) -> Objective.Target {
        .planes(PlaneTarget(values: values, mask: mask, loss: loss))
    }

    @Test("classes: ties go to the lowest, and the best five count from twenty classes on")
    func classes() {
        let result = values(
            .cls, .classes([1, 0, 2]), [0, 1, 0, 5, 5, 5, 1, 0, 1], images: 3, channels: 3, plane: 1
        )
        #expect(near(result["accuracy"], 2.0 / 3) && result["top5"] == nil)
        var row = [Float](repeating: 0, count: 20)
        for index in 0..<5 { row[index] = Float(9 - index) }
        #expect(
            values(.cls, .classes([4]), row, channels: 20, plane: 1)
                == ["accuracy": 0, "top5": 1])
    }

    @Test("segmentation: absent classes are left out, a class never hit counts 0")
    func segmentation() {
        // Four pixels of classes 0 0 1 and one ignored; the prediction says 0 1 1 2.
        let said: [[Float]] = [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
        let result = values(
            .sem, .pixelClasses([0, 0, 1, 255]), said.flatMap { $0 }, channels: 4, plane: 4)
        // Class 0: 1 of 2; class 1: 1 of 2; classes 2 and 3 occur in no pixel that counts.
        #expect(near(result["mIoU"], 0.5) && near(result["pixelAccuracy"], 2.0 / 3))
        #expect(result["count"] == 3)
        let empty = values(
            .sem, .pixelClasses([255, 255, 255, 255]), said.flatMap { $0 }, channels: 4, plane: 4)
        #expect(empty.isEmpty)
    }

    @Test("depth: the published errors of one pixel, and none behind the mask")
    func depth() {
        let target: [Float] = [DepthScale.scaled(metres: 2), 0.3]
        let said: [Float] = [DepthScale.scaled(metres: 3), 0.9]
        let result = values(
            .depth, planes(target, mask: [1, 0]), said, plane: 2)
        let abs = Double(said[0] - target[0])
        #expect(near(result["abs"], abs) && near(result["rel"], abs / Double(target[0])))
        #expect(near(result["absRel"], 0.5, 1e-4) && near(result["sqRel"], 0.5, 1e-4))
        #expect(near(result["rmse"], 1, 1e-4) && near(result["rmseLog"], log(1.5), 1e-4))
        #expect(result["delta1"] == 0 && result["delta2"] == 1 && result["delta3"] == 1)
        #expect(result["count"] == 1)
        let masked = values(.depth, planes(target, mask: [0, 0]), said, plane: 2)
        #expect(masked == ["count": 0])
    }

    @Test("the depth scale is Taskonomy's and can be turned round")
    func depthScale() {
        #expect(DepthScale.scaled(metres: 0) == 0)
        #expect(abs(DepthScale.scaled(metres: 65_535.0 / 512) - 1) < 1e-6)
        #expect(abs(Double(DepthScale.scaled(metres: 1)) - log(513) / log(65_536)) < 1e-7)
        for metres in [0.1, 1, 7.5, 100] as [Float] {
            let back = DepthScale.metres(scaled: Double(DepthScale.scaled(metres: metres)))
            #expect(abs(back - Double(metres)) < 1e-4 * Double(metres))
        }
    }

    @Test("normals: angles of known vectors; no direction counts as a right angle")
    func normals() {
        // Pixels: the same direction at twice the length, 90 degrees apart, 45 apart, nowhere.
        let target: [Float] = [0, 1, 1, 0, /* y */ 0, 0, 0, 0, /* z */ 1, 0, 0, 1]
        let said: [Float] = [0, 0, 1, 0, 0, 1, 1, 0, 2, 0, 0, 0]
        let result = values(
            .normal, planes(target, .cosine), said, channels: 3, plane: 4)
        #expect(near(result["meanAngle"], (0 + 90 + 45 + 90) / 4.0, 1e-4))
        #expect(near(result["medianAngle"], 67.5, 1e-4))
        #expect(
            near(result["rmsAngle"], ((8100 + 2025 + 8100) / 4.0).squareRoot(), 1e-4))
        #expect(near(result["within11"], 0.25) && near(result["within30"], 0.25))
        #expect(near(result["meanCosine"], (1 + 0 + 0.5.squareRoot() + 0) / 4))
    }

    @Test("edges and keypoints: correlation, error and agreement on what is strong")
    func correlation() {
        let target: [Float] = [-1, -1, 1, 1]
        let perfect = values(.edge, planes(target), target, plane: 4)
        #expect(near(perfect["pearson"], 1) && perfect["l1"] == 0 && perfect["f1"] == 1)
        let turned = values(.kp2d, planes(target), target.map { -$0 }, plane: 4)
        #expect(near(turned["pearson"], -1) && turned["l1"] == 2)
        let half = values(.edge, planes(target), [-1, 1, 1, -1], plane: 4)
        #expect(near(half["pearson"], 0) && near(half["f1"], 0.5) && near(half["l1"], 1))
        let constant = values(.edge, planes(target), [-1, -1, -1, -1], plane: 4)
        #expect(constant["pearson"] == 0 && near(constant["l1"], 1))
    }

    @Test("autoencoding: the signal-to-noise ratio of a known error")
    func autoencoding() {
        let result = values(.ae, planes([0, 0, 0]), [0.2, -0.2, 0.2], channels: 3, plane: 1)
        // An error of 0.1 on 0...1 is 20 dB.
        #expect(near(result["psnr"], 20, 1e-4) && near(result["l1"], 0.2))
        let squares = values(
            .curv, planes([0, 1], .square), [0.5, 1], channels: 2, plane: 1)
        #expect(near(squares["l2"], 0.125) && near(squares["l1"], 0.25))
        let shaded = values(.reshade, planes([0, 1], mask: [1, 0]), [0.5, 0], plane: 2)
        #expect(near(shaded["l1"], 0.5) && shaded["count"] == 1)
    }

    @Test("pairs: embeddings apart by surface are right, all in one place are right by half")
    func pairs() {
        let segments = (0..<64).map { UInt8($0 % 8 < 4 ? 0 : 1) }
        let apart = segments.map { Float($0) * 5 }
        let right = values(.seg2d, .segments(segments), apart, plane: 64)
        #expect(right["pairAccuracy"] == 1 && right["sameRecall"] == 1)
        let together = values(
            .seg2d, .segments(segments), [Float](repeating: 0, count: 64), plane: 64)
        #expect(together["pairAccuracy"] == 0.5 && together["apartRecall"] == 0)
        let lone = values(
            .seg2d, .segments([UInt8](repeating: 3, count: 64)), apart, plane: 64)
        #expect(lone["pairAccuracy"] == nil && lone["sameRecall"] != nil)
    }

    @Test("batches add up to the set", arguments: TaskKind.allCases)
    func batchesAddUp(kind: TaskKind) throws {
        let renderer = RoomsRenderer(RoomsSettings())
        let images = renderer.images(.train, Array(0..<6))
        let targets = TaskTargets(
            of: [kind], images: images, labels: images.labels,
            maps: renderer.maps(.train, images.indices),
            clips: ClipConstants(edge: 0.2, keypoint: 0.01))
        let target = targets.target(of: kind)
        var channels = 10
        if case .dense(_, let count) = kind.head(channels: 3, classes: 10).kind { channels = count }
        let plane = kind == .cls ? 1 : 1024
        var random = RandomStream(seed: 5)
        let batch = (0..<(3 * channels * plane)).map { _ in random.uniform(-1, 1) }
        var whole = TaskScore(kind, target: target, channels: channels, plane: plane)
        whole.add(batch, of: 0..<3)
        var parts = TaskScore(kind, target: target, channels: channels, plane: plane)
        for image in 0..<3 {
            let own = (0..<channels).flatMap { channel -> [Float] in
                let first = kind == .cls ? image * 10 + channel : (channel * 3 + image) * plane
                return Array(batch[first..<(first + plane)])
            }
            parts.add(own, of: image..<(image + 1))
        }
        #expect(whole.metrics == parts.metrics)
        #expect(whole.metrics.allSatisfy { $0.value?.isFinite ?? false })
    }
}
