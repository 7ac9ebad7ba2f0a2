/// Maps that are worked out from an image's colors alone: what anyone who has the pixels has, too.
enum ImageFilters {
    /// Luma in 0...1 of each image, `[images][height][width]`.
    static func gray(_ images: ImageSet) -> [Float] {
        let plane = images.height * images.width
        var gray = [Float](repeating: 0, count: images.count * plane)
        for image in 0..<images.count {
            for pixel in 0..<plane {
                let place = image * images.pixelsPerImage + pixel
                let value: Double
                if images.channels == 3 {
                    value =
                        0.299 * Double(images.pixels[place])
                        + 0.587 * Double(images.pixels[place + plane])
                        + 0.114 * Double(images.pixels[place + 2 * plane])
                } else {
                    value = Double(images.pixels[place])
                }
                gray[image * plane + pixel] = Float(value / 255)
            }
        }
        return gray
    }

    /// Strength of edges: luma blurred by a Gaussian of `side / 64` pixels, divided by as much of
    /// it as lies within the image, then the root mean square of both Sobel responses.
    static func edges(_ images: ImageSet) -> [Float] {
        map(images) { gray, height, width in
            let kernel = Kernel1D.gaussian(sigma: Double(height) / 64)
            let ones = [Double](repeating: 1, count: gray.count)
            let blurred = zip(
                separable(gray, height, width, kernel, kernel, border: .zero),
                separable(ones, height, width, kernel, kernel, border: .zero)
            ).map { $0 / $1 }
            let smooth = Kernel1D(weights: [0.25, 0.5, 0.25])
            let difference = Kernel1D(weights: [1, 0, -1])
            let down = separable(blurred, height, width, difference, smooth, border: .replicate)
            let across = separable(blurred, height, width, smooth, difference, border: .replicate)
            return zip(down, across).map { (($0 * $0 + $1 * $1) / 2).squareRoot() }
        }
    }

    /// Strength of keypoints: the determinant of the Hessian, its mixed part weighed by 0.81 as
    /// SURF does, the largest over four scales; never below 0.
    static func keypoints(_ images: ImageSet) -> [Float] {
        map(images) { gray, height, width in
            var strongest = [Double](repeating: 0, count: gray.count)
            for base in [1, 1.5, 2, 3] {
                let sigma = base * Double(height) / 32
                let flat = Kernel1D.gaussian(sigma: sigma)
                let slope = Kernel1D.gaussianSlope(sigma: sigma)
                let bend = Kernel1D.gaussianBend(sigma: sigma)
                let yy = separable(gray, height, width, bend, flat, border: .replicate)
                let xx = separable(gray, height, width, flat, bend, border: .replicate)
                let xy = separable(gray, height, width, slope, slope, border: .replicate)
                let scale = sigma * sigma * sigma * sigma
                for place in strongest.indices {
                    let response = scale * (xx[place] * yy[place] - 0.81 * xy[place] * xy[place])
                    strongest[place] = max(strongest[place], response)
                }
            }
            return strongest
        }
    }

    /// Works on each image's luma in `Double`.
    private static func map(
        _ images: ImageSet, _ filter: ([Double], Int, Int) -> [Double]
    ) -> [Float] {
        let plane = images.height * images.width
        let gray = gray(images)
        return (0..<images.count).flatMap { image in
            let one = gray[(image * plane)..<((image + 1) * plane)].map { Double($0) }
            return filter(one, images.height, images.width).map { Float($0) }
        }
    }

    enum Border {
        case zero, replicate
    }

    /// Down the columns by one kernel, then along the rows by the other.
    static func separable(
        _ image: [Double], _ height: Int, _ width: Int, _ down: Kernel1D, _ across: Kernel1D,
        border: Border
    ) -> [Double] {
        var between = [Double](repeating: 0, count: image.count)
        var result = between
        for column in 0..<width {
            down.apply(
                image, start: column, stride: width, count: height, border, into: &between)
        }
        for row in 0..<height {
            across.apply(
                between, start: row * width, stride: 1, count: width, border, into: &result)
        }
        return result
    }
}

/// A short filter along one axis, its middle weight on the place itself.
struct Kernel1D {
    let weights: [Double]

    /// Sampled, cut at three deviations, its weights adding up to 1.
    static func gaussian(sigma: Double) -> Kernel1D {
        let radius = max(1, Int((3 * sigma).rounded(.up)))
        let raw = (-radius...radius).map { place in
            ExactMath.exponential(-Double(place * place) / (2 * sigma * sigma))
        }
        let sum = raw.reduce(0, +)
        return Kernel1D(weights: raw.map { $0 / sum })
    }

    /// The Gaussian's first derivative.
    static func gaussianSlope(sigma: Double) -> Kernel1D {
        let flat = gaussian(sigma: sigma).weights
        let radius = flat.count / 2
        return Kernel1D(
            weights: flat.indices.map { -Double($0 - radius) / (sigma * sigma) * flat[$0] })
    }

    /// The Gaussian's second derivative, made to answer 0 on a constant.
    static func gaussianBend(sigma: Double) -> Kernel1D {
        let flat = gaussian(sigma: sigma).weights
        let radius = flat.count / 2
        let square = sigma * sigma
        let raw = flat.indices.map { index in
            let place = Double(index - radius)
            return (place * place / (square * square) - 1 / square) * flat[index]
        }
        let mean = raw.reduce(0, +) / Double(raw.count)
        return Kernel1D(weights: raw.map { $0 - mean })
    }

    /// Correlates one line of an image with the kernel turned round, as a convolution does.
    func apply(
        _ image: [Double], start: Int, stride: Int, count: Int, _ border: ImageFilters.Border,
        into result: inout [Double]
    ) {
        let radius = weights.count / 2
        for place in 0..<count {
            var sum = 0.0
            for (tap, weight) in weights.enumerated() {
                var from = place + radius - tap
                if from < 0 || from >= count {
                    if border == .zero { continue }
                    from = min(max(from, 0), count - 1)
                }
                sum += weight * image[start + from * stride]
            }
            result[start + place * stride] = sum
        }
    }
}
