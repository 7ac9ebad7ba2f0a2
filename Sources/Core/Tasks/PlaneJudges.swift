import Foundation

/// Errors, correlation and more of predicted planes; only what the mask keeps counts.
struct PlaneJudge: Judge {
    private let kind: TaskKind
    private let target: PlaneTarget
    private let channels: Int
    private let plane: Int
    private var absolute = 0.0
    private var square = 0.0
    private var pairs = Correlation()
    private var truePositives = 0
    private var saidPositives = 0
    private var positives = 0
    private var count = 0

    init(kind: TaskKind, target: PlaneTarget, channels: Int, plane: Int) {
        self.kind = kind
        self.target = target
        self.channels = channels
        self.plane = plane
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        for (position, image) in images.enumerated() {
            for channel in 0..<channels {
                let own = (image * channels + channel) * plane
                let said = (channel * images.count + position) * plane
                for pixel in 0..<plane where target.keeps(image * plane + pixel) {
                    take(Double(prediction[said + pixel]), Double(target.values[own + pixel]))
                }
            }
        }
    }

    private mutating func take(_ said: Double, _ right: Double) {
        absolute += abs(said - right)
        square += (said - right) * (said - right)
        pairs.add(said, right)
        // The middle of -1...1 tells strong responses from weak ones.
        truePositives += said > 0 && right > 0 ? 1 : 0
        saidPositives += said > 0 ? 1 : 0
        positives += right > 0 ? 1 : 0
        count += 1
    }

    var metrics: [TaskMetric] {
        let total = TaskMetric("count", Double(count))
        let l1 = TaskMetric("l1", mean(absolute))
        let l2 = TaskMetric("l2", mean(square))
        switch kind {
        case .edge:
            let called = saidPositives + positives
            let f1 = called == 0 ? nil : 2 * Double(truePositives) / Double(called)
            return [TaskMetric("pearson", pairs.coefficient), l1, TaskMetric("f1", f1), total]
        case .kp2d: return [TaskMetric("pearson", pairs.coefficient), l1, total]
        case .ae:
            // The error on 0...1 is half of that on -1...1.
            let noise = mean(square).map { max($0 / 4, 1e-12) }
            return [l1, TaskMetric("psnr", noise.map { -10 * log10($0) }), total]
        case .curv: return [l2, l1, total]
        default: return [l1, l2, total]
        }
    }

    private func mean(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }
}

extension PlaneTarget {
    /// Whether a pixel, counted over all images, is kept by the mask.
    func keeps(_ pixel: Int) -> Bool { mask.map { $0[pixel] != 0 } ?? true }
}

/// Pearson's correlation from running means, so that large sums do not cancel.
private struct Correlation {
    private var count = 0.0
    private var means = (0.0, 0.0)
    private var spreads = (0.0, 0.0)
    private var product = 0.0

    mutating func add(_ first: Double, _ second: Double) {
        count += 1
        let apart = (first - means.0, second - means.1)
        means.0 += apart.0 / count
        means.1 += apart.1 / count
        spreads.0 += apart.0 * (first - means.0)
        spreads.1 += apart.1 * (second - means.1)
        product += apart.0 * (second - means.1)
    }

    /// 0 for a constant prediction, which explains nothing; `nil` for a constant target.
    var coefficient: Double? {
        guard spreads.1 > 0 else { return nil }
        return spreads.0 > 0 ? product / (spreads.0 * spreads.1).squareRoot() : 0
    }
}

/// Depth: errors on the logarithmic scale, and the usual ones in metres.
struct DepthJudge: Judge {
    private let target: PlaneTarget
    private let plane: Int
    private var count = 0
    private var sums = [Double](repeating: 0, count: 9)
    private static let names = [
        "abs", "rel", "absRel", "sqRel", "rmse", "rmseLog", "delta1", "delta2", "delta3",
    ]

    init(target: PlaneTarget, plane: Int) {
        self.target = target
        self.plane = plane
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        let first = images.lowerBound * plane
        for place in 0..<(images.count * plane) where target.keeps(first + place) {
            take(Double(prediction[place]), Double(target.values[first + place]))
        }
    }

    private mutating func take(_ said: Double, _ right: Double) {
        let metres = DepthScale.metres(scaled: right)
        let guess = min(max(DepthScale.metres(scaled: said), 0.05), 128)
        let error = guess - metres
        let ratio = max(guess / metres, metres / guess)
        let logError = log(guess / metres)
        let terms: [Double] = [
            abs(said - right), abs(said - right) / right, abs(error) / metres,
            error * error / metres, error * error, logError * logError,
            ratio < 1.25 ? 1 : 0, ratio < 1.5625 ? 1 : 0, ratio < 1.953125 ? 1 : 0,
        ]
        for (index, term) in terms.enumerated() { sums[index] += term }
        count += 1
    }

    var metrics: [TaskMetric] {
        DepthJudge.names.enumerated().map { index, name in
            guard count > 0 else { return TaskMetric(name, nil) }
            let mean = sums[index] / Double(count)
            return TaskMetric(name, name.hasPrefix("rmse") ? mean.squareRoot() : mean)
        } + [TaskMetric("count", Double(count))]
    }
}

/// Angles between predicted and true normals, in degrees.
struct NormalJudge: Judge {
    private let target: PlaneTarget
    private let plane: Int
    private var angles: [Float] = []
    private var cosines = 0.0

    init(target: PlaneTarget, plane: Int) {
        self.target = target
        self.plane = plane
    }

    mutating func add(_ prediction: [Float], of images: Range<Int>) {
        for (position, image) in images.enumerated() {
            for pixel in 0..<plane where target.keeps(image * plane + pixel) {
                var said = SIMD3<Double>()
                var right = SIMD3<Double>()
                for channel in 0..<3 {
                    said[channel] = Double(
                        prediction[(channel * images.count + position) * plane + pixel])
                    right[channel] = Double(
                        target.values[(image * 3 + channel) * plane + pixel])
                }
                take(said, right)
            }
        }
    }

    private mutating func take(_ said: SIMD3<Double>, _ right: SIMD3<Double>) {
        let lengths = ((said * said).sum() * (right * right).sum()).squareRoot()
        // What points nowhere is taken to be at right angles, on either side.
        let isNowhere = (said * said).sum().squareRoot() < 1e-12 || (right * right).sum() == 0
        let cosine = isNowhere ? 0 : min(max((said * right).sum() / lengths, -1), 1)
        cosines += cosine
        angles.append(Float(acos(cosine) * 180 / Double.pi))
    }

    var metrics: [TaskMetric] {
        let names = ["meanAngle", "medianAngle", "rmsAngle", "within11", "within22", "within30"]
        guard !angles.isEmpty else { return names.map { TaskMetric($0, nil) } }
        let count = Double(angles.count)
        let sorted = angles.sorted()
        let middle = sorted.count / 2
        let median =
            sorted.count % 2 == 1
            ? Double(sorted[middle]) : (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2
        func within(_ limit: Float) -> Double { Double(angles.count { $0 < limit }) / count }
        let square = angles.reduce(0.0) { $0 + Double($1) * Double($1) }
        let values = [
            angles.reduce(0.0) { $0 + Double($1) } / count, median,
            (square / count).squareRoot(), within(11.25), within(22.5), within(30),
        ]
        return zip(names, values).map { TaskMetric($0, $1) }
            + [TaskMetric("meanCosine", cosines / count), TaskMetric("count", count)]
    }
}
