/// Holds the fast products and convolutions against plain loops in `Double`, at odd shapes.
public enum KernelCheck {
    /// Everything that has a plain twin here.
    public static func all() -> [GoldenCase] {
        products() + PlainConvolution.odd.map(convolution) + PlainConvolution.odd.map(batches)
            + PlainConvolution.odd.map(leftovers)
    }

    /// Errors are |a - b| / (1 + max |b|). Winograd's transforms cost some digits.
    private static let tolerance = 2e-6
    private static let winogradTolerance = 2e-5

    // MARK: Products

    private static func products() -> [GoldenCase] {
        let sizes = [(1, 1, 1), (7, 33, 19), (17, 40, 300), (64, 31, 257), (9, 70, 16)]
        return sizes.map { m, n, k in
            var checks: [GoldenCase.Check] = []
            for (turnsA, turnsB) in [(false, false), (true, false), (false, true), (true, true)] {
                for adds in [false, true] {
                    checks.append(
                        GoldenCase.Check(
                            what: "transposed \(turnsA), \(turnsB), added \(adds)",
                            error: productError(m, n, k, turnsA, turnsB, adds: adds),
                            tolerance: tolerance))
                }
            }
            return GoldenCase("product \(m)x\(n)x\(k)", checks)
        }
    }

    private static func productError(
        _ m: Int, _ n: Int, _ k: Int, _ turnsA: Bool, _ turnsB: Bool, adds: Bool
    ) -> Double {
        let random = RandomStream(seed: UInt64(m * 10_000 + n * 100 + k))
        let a = normals(m * k, random.derived("a")), b = normals(k * n, random.derived("b"))
        let start = normals(m * n, random.derived("c"))
        let result = Tensor(start)
        Kernels.multiply(
            Tensor(a), Tensor(b), into: result, m: m, n: n, k: k, transposeA: turnsA,
            transposeB: turnsB, beta: adds ? 1 : 0)
        var wanted = adds ? start.map(Double.init) : Array(repeating: 0, count: m * n)
        for row in 0..<m {
            for column in 0..<n {
                for term in 0..<k {
                    let left = turnsA ? a[term * m + row] : a[row * k + term]
                    let right = turnsB ? b[column * k + term] : b[term * n + column]
                    wanted[row * n + column] += Double(left) * Double(right)
                }
            }
        }
        return error(result.values, wanted)
    }

    // MARK: Convolutions

    private static func convolution(_ plain: PlainConvolution) -> GoldenCase {
        let random = RandomStream(seed: 8)
        let x = normals(plain.inputCount, random.derived("x"))
        let weight = normals(plain.weightCount, random.derived("weight"))
        let gradient = normals(plain.outputCount, random.derived("gradient"))
        let size = plain.outputCount / plain.outputs
        let slope = normals(plain.outputs, random.derived("slope"))
        let shift = normals(plain.outputs, random.derived("shift"))
        let residual = normals(plain.outputCount, random.derived("residual"))
        let raw = plain.forward(x, weight)
        let finished = raw.indices.map { place in
            let channel = place / size
            return max(
                0,
                raw[place] * Double(slope[channel]) + Double(shift[channel])
                    + Double(residual[place]))
        }
        var wanted = [(raw, "forward"), (finished, "finished")]
        let finish = Kernels.Finish(
            slope: Tensor(slope), shift: Tensor(shift), residual: Tensor(residual),
            rectifies: true)
        wanted.append((plain.weightGradient(x, gradient), "weight gradient"))
        wanted.append((plain.inputGradient(weight, gradient), "input gradient"))
        let checks = plain.algorithms.flatMap { algorithm -> [GoldenCase.Check] in
            let got: [[Float]?] = [
                plain.forward(algorithm, x, weight, Kernels.Finish()),
                plain.forward(algorithm, x, weight, finish),
                plain.weightGradient(algorithm, x, gradient),
                plain.inputGradient(algorithm, weight, gradient),
            ]
            return zip(wanted, got).compactMap { wanted, got in
                got.map { got in
                    GoldenCase.Check(
                        what: "\(algorithm) \(wanted.1)", error: error(got, wanted.0),
                        tolerance: algorithm == .winograd ? winogradTolerance : tolerance)
                }
            }
        }
        return GoldenCase("convolution \(plain)", checks)
    }

    /// An image's results do not depend on the images beside it: not by a bit.
    private static func batches(_ plain: PlainConvolution) -> GoldenCase {
        let random = RandomStream(seed: 9)
        let x = normals(plain.inputCount, random.derived("x"))
        let weight = normals(plain.weightCount, random.derived("weight"))
        var alone = plain
        alone.images = 1
        let size = plain.outputCount / plain.outputs / plain.images
        let plane = plain.window.plane
        let checks = plain.algorithms.map { algorithm in
            let together = plain.forward(algorithm, x, weight, Kernels.Finish())
            var differing = 0
            for image in 0..<plain.images {
                let own = (0..<plain.channels).flatMap { channel in
                    let start = (channel * plain.images + image) * plane
                    return Array(x[start..<(start + plane)])
                }
                let single = alone.forward(algorithm, own, weight, Kernels.Finish())
                for output in 0..<plain.outputs {
                    for place in 0..<size
                    where single[output * size + place]
                        != together[(output * plain.images + image) * size + place]
                    {
                        differing += 1
                    }
                }
            }
            return GoldenCase.Check(
                what: "\(algorithm) numbers that differ", error: Double(differing), tolerance: 0.5)
        }
        return GoldenCase("image by image \(plain)", checks)
    }

    /// Numbers that were not numbers leave nothing behind in working memory that is used again.
    private static func leftovers(_ plain: PlainConvolution) -> GoldenCase {
        let random = RandomStream(seed: 10)
        let x = normals(plain.inputCount, random.derived("x"))
        let weight = normals(plain.weightCount, random.derived("weight"))
        let gradient = normals(plain.outputCount, random.derived("gradient"))
        var larger = plain
        larger.images += 3
        let broken = [Float](repeating: .nan, count: larger.inputCount)
        let slopes = [Float](repeating: .nan, count: larger.outputCount)
        let checks = plain.algorithms.map { algorithm in
            _ = larger.forward(algorithm, broken, weight, Kernels.Finish())
            _ = larger.weightGradient(algorithm, broken, slopes)
            let after =
                plain.forward(algorithm, x, weight, Kernels.Finish())
                + (plain.weightGradient(algorithm, x, gradient) ?? [])
            return GoldenCase.Check(
                what: "\(algorithm) numbers that are none",
                error: Double(after.count(where: { !$0.isFinite })), tolerance: 0.5)
        }
        return GoldenCase("leftovers \(plain)", checks)
    }

    private static func normals(_ count: Int, _ random: RandomStream) -> [Float] {
        var random = random
        return (0..<count).map { _ in Float(random.normal()) }
    }

    private static func error(_ got: [Float], _ wanted: [Double]) -> Double {
        let largest = wanted.reduce(0) { max($0, abs($1)) }
        let worst = zip(got, wanted).reduce(0.0) { worst, pair in
            let gap = abs(Double(pair.0) - pair.1)
            return gap.isNaN ? .infinity : max(worst, gap)
        }
        return got.count == wanted.count ? worst / (1 + largest) : .infinity
    }
}

/// A convolution written as its definition, beside the algorithms that work it out.
private struct PlainConvolution: CustomStringConvertible {
    enum Algorithm { case windows, winograd, direct }

    var outputs: Int
    var channels: Int
    var images: Int
    var height: Int
    var width: Int
    var kernel: Int
    var stride: Int
    var padding: Int

    static let odd = [
        PlainConvolution(
            outputs: 5, channels: 7, images: 3, height: 9, width: 11, kernel: 3, stride: 2,
            padding: 1),
        PlainConvolution(
            outputs: 9, channels: 5, images: 2, height: 11, width: 9, kernel: 5, stride: 1,
            padding: 2),
        PlainConvolution(
            outputs: 33, channels: 3, images: 2, height: 7, width: 37, kernel: 4, stride: 1,
            padding: 0),
        PlainConvolution(
            outputs: 6, channels: 4, images: 5, height: 6, width: 5, kernel: 1, stride: 2,
            padding: 0),
        PlainConvolution(
            outputs: 6, channels: 1, images: 13, height: 28, width: 28, kernel: 5, stride: 1,
            padding: 0),
        PlainConvolution(
            outputs: 14, channels: 3, images: 9, height: 13, width: 21, kernel: 3, stride: 1,
            padding: 1),
        PlainConvolution(
            outputs: 8, channels: 1, images: 3, height: 17, width: 35, kernel: 5, stride: 1,
            padding: 2),
        PlainConvolution(
            outputs: 13, channels: 20, images: 3, height: 9, width: 14, kernel: 3, stride: 1,
            padding: 1),
        PlainConvolution(
            outputs: 35, channels: 16, images: 19, height: 4, width: 4, kernel: 3, stride: 1,
            padding: 1),
        PlainConvolution(
            outputs: 16, channels: 300, images: 5, height: 7, width: 7, kernel: 3, stride: 1,
            padding: 1),
    ]

    var window: Window {
        Window(height: height, width: width, kernel: kernel, stride: stride, padding: padding)
    }
    var inputCount: Int { channels * images * window.plane }
    var outputCount: Int { outputs * images * window.outPlane }
    var weightCount: Int { outputs * channels * kernel * kernel }
    /// Those that can: Winograd's takes 3x3 of stride 1 with padding 1, whether it would win or not.
    var algorithms: [Algorithm] {
        let takesWinograd = kernel == 3 && stride == 1 && padding == 1
        let takesDirect = Kernels.directServes(outputs: outputs, channels: channels, window)
        return [.windows] + (takesWinograd ? [.winograd] : []) + (takesDirect ? [.direct] : [])
    }
    var description: String {
        "\(outputs)x\(channels) on \(images)x\(height)x\(width), \(kernel)x\(kernel), "
            + "stride \(stride), padding \(padding)"
    }

    // MARK: As defined

    func forward(_ x: [Float], _ weight: [Float]) -> [Double] {
        var result = Array(repeating: 0.0, count: outputCount)
        eachProduct { result[$2] += Double(x[$0]) * Double(weight[$1]) }
        return result
    }

    func weightGradient(_ x: [Float], _ gradient: [Float]) -> [Double] {
        var result = Array(repeating: 0.0, count: weightCount)
        eachProduct { result[$1] += Double(x[$0]) * Double(gradient[$2]) }
        return result
    }

    func inputGradient(_ weight: [Float], _ gradient: [Float]) -> [Double] {
        var result = Array(repeating: 0.0, count: inputCount)
        eachProduct { result[$0] += Double(weight[$1]) * Double(gradient[$2]) }
        return result
    }

    /// Calls `body(place in x, place in the weight, place in the output)` for every product.
    private func eachProduct(_ body: (Int, Int, Int) -> Void) {
        let window = window
        for output in 0..<outputs {
            for image in 0..<images {
                for place in 0..<window.outPlane {
                    let top = place / window.outWidth * stride - padding
                    let left = place % window.outWidth * stride - padding
                    let target = (output * images + image) * window.outPlane + place
                    eachTap(top: top, left: left) { channel, row, column, tap in
                        let source = (channel * images + image) * window.plane
                        body(
                            source + row * width + column,
                            (output * channels + channel) * kernel * kernel + tap, target)
                    }
                }
            }
        }
    }

    private func eachTap(top: Int, left: Int, _ body: (Int, Int, Int, Int) -> Void) {
        for channel in 0..<channels {
            for tap in 0..<(kernel * kernel) {
                let row = top + tap / kernel
                let column = left + tap % kernel
                guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
                body(channel, row, column, tap)
            }
        }
    }

    // MARK: As worked out

    func forward(
        _ algorithm: Algorithm, _ x: [Float], _ weight: [Float], _ finish: Kernels.Finish
    ) -> [Float] {
        let result = Tensor(zeros: outputCount)
        switch algorithm {
        case .windows:
            Kernels.convolve(
                Tensor(x), Tensor(weight), outputs: outputs, channels: channels, images: images,
                window, finish: finish, into: result, xOffset: 0, weightOffset: 0, yOffset: 0)
        case .winograd:
            Kernels.winograd(
                Tensor(x), Tensor(weight), outputs: outputs, channels: channels, images: images,
                window, finish: finish, into: result)
        case .direct:
            Kernels.direct(
                Tensor(x), Tensor(weight), outputs: outputs, channels: channels, images: images,
                window, finish: finish, into: result)
        }
        return result.values
    }

    /// `nil`: the algorithm does not go with the shape.
    func weightGradient(_ algorithm: Algorithm, _ x: [Float], _ gradient: [Float]) -> [Float]? {
        let result = Tensor(zeros: weightCount)
        switch algorithm {
        case .windows:
            Kernels.convolveWeightGradient(
                Tensor(x), Tensor(gradient), outputs: outputs, channels: channels, images: images,
                window, into: result, xOffset: 0, weightOffset: 0, yOffset: 0)
        case .winograd:
            Kernels.winogradWeightGradient(
                Tensor(x), Tensor(gradient), outputs: outputs, channels: channels, images: images,
                window, into: result)
        case .direct:
            guard Kernels.directGradientServes(outputs: outputs, channels: channels, window) else {
                return nil
            }
            Kernels.directWeightGradient(
                Tensor(x), Tensor(gradient), outputs: outputs, channels: channels, images: images,
                window, into: result)
        }
        return result.values
    }

    /// `nil`: the layer puts it together from products itself, and `GradientCheck` holds that.
    func inputGradient(
        _ algorithm: Algorithm, _ weight: [Float], _ gradient: [Float]
    ) -> [Float]? {
        guard algorithm == .winograd else { return nil }
        let result = Tensor(zeros: inputCount)
        Kernels.winogradInputGradient(
            Tensor(gradient), Tensor(weight), outputs: outputs, channels: channels,
            images: images, window, into: result)
        return result.values
    }
}
