import Foundation

/// A Gaussian blur over three pixels each way.
struct BlurDefense: DataSetDefense {
    let name = "blur"
    let revision = 1
    let summary = "a 3x3 Gaussian blur"
    let parameters = [
        MethodParameter(
            name: "sigma", kind: .number(default: 1, range: 0.05...10, whole: false),
            meaning: "standard deviation of the blur, in pixels"),
        TestImages.parameter,
    ]

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting { GaussianRewriting(sigma: settings.number("sigma")) }
}

/// The blur that public code calls Gaussian: its sigma of 0.1 leaves neighbours a weight of
/// 2e-22, so that it changes nothing. A canary, which must equal `none` bit for bit.
struct ReleasedBlurDefense: DataSetDefense {
    let name = "gaussian-released"
    let revision = 1
    let summary = "the 3x3 blur of public code, whose sigma of 0.1 changes nothing"
    let parameters = [TestImages.parameter]

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting { GaussianRewriting(sigma: 0.1) }
}

/// Three taps a direction, reflected at the borders, rounded once.
private struct GaussianRewriting: ImageRewriting {
    let centre: Double
    let side: Double

    init(sigma: Double) {
        let neighbour = exp(-1 / (2 * sigma * sigma))
        centre = 1 / (1 + 2 * neighbour)
        side = neighbour / (1 + 2 * neighbour)
    }

    func rewritten(_ images: ImageSet) -> ImageSet {
        var blurred = images
        let (height, width) = (images.height, images.width)
        var rows = [Double](repeating: 0, count: height * width)
        for plane in stride(from: 0, to: images.pixels.count, by: height * width) {
            for row in 0..<height {
                for column in 0..<width {
                    rows[row * width + column] = weighted(column, width) {
                        Double(images.pixels[plane + row * width + $0])
                    }
                }
            }
            for row in 0..<height {
                for column in 0..<width {
                    let level = weighted(row, height) { rows[$0 * width + column] }
                    blurred.pixels[plane + row * width + column] = UInt8(level + 0.5)
                }
            }
        }
        return blurred
    }

    private func weighted(_ place: Int, _ count: Int, _ value: (Int) -> Double) -> Double {
        let before = value(Reflection.inside(place - 1, count))
        let after = value(Reflection.inside(place + 1, count))
        return side * before + centre * value(place) + side * after
    }
}

/// Borders as in a mirror that stands on the outermost pixel.
enum Reflection {
    static func inside(_ place: Int, _ count: Int) -> Int {
        let mirrored = place < 0 ? -place : place >= count ? 2 * (count - 1) - place : place
        return min(max(mirrored, 0), count - 1)
    }
}
