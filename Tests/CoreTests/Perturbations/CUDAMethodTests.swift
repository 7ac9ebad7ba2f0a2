import FathomCore
import Testing

@Suite("convolution-based perturbations")
struct CUDAMethodTests {
    private func craft(_ images: ImageSet) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            MethodSettings(name: "cuda"), images: images, keys: images.labels, seed: 3)
    }

    /// An image set from levels, all of class 0.
    private func set(_ pixels: [UInt8], side: Int) -> ImageSet {
        let count = pixels.count / (side * side)
        return ImageSet(
            channels: 1, height: side, width: side, classCount: 2, pixels: pixels,
            labels: [Int32](repeating: 0, count: count), indices: Array(0..<count))
    }

    @Test("one white pixel shows the kernel: one entry is 1, eight are below the blur")
    func kernelIsVisible() throws {
        var pixels = [UInt8](repeating: 0, count: 81)
        pixels[40] = 255
        let poison = try craft(set(pixels, side: 9))
        var kernel: [Float] = []
        for at in 0..<81 {
            let value = poison.delta[at] + (at == 40 ? 1 : 0)
            let isInside = (3...5).contains(at / 9) && (3...5).contains(at % 9)
            if isInside { kernel.append(value) } else { #expect(value == 0) }
        }
        #expect(kernel.count { abs($0 - 1) < 1e-6 } == 1)
        #expect(kernel.count { (0..<0.3).contains($0) } == 8)
    }

    @Test("every image's brightest pixel is white, and a black image stays black")
    func brightestIsWhite() throws {
        for shape in [PoisonFixtures.grey, PoisonFixtures.colour] {
            let images = PoisonFixtures.images(shape, count: 26, classes: 13)
            let poison = try craft(images)
            for image in 0..<26 {
                let own = poison.images.pixels[
                    (image * shape.elements)..<((image + 1) * shape.elements)]
                #expect(own.max() == 255)
            }
        }
        let black = try craft(set([UInt8](repeating: 0, count: 64), side: 8))
        #expect(black.images.pixels.allSatisfy { $0 == 0 } && black.delta.allSatisfy { $0 == 0 })
    }

    @Test("the poison is the cross-correlation with the kernel that the white pixel shows")
    func agreesWithPlainLoops() throws {
        var pixels = [UInt8](repeating: 0, count: 200)
        pixels[55] = 255
        var random = RandomStream(seed: 8)
        for at in 100..<200 { pixels[at] = UInt8(random.integer(below: 256)) }
        let images = set(pixels, side: 10)
        let poison = try craft(images)
        // A kernel shows upside down in its answer to one pixel.
        var kernel = [Double](repeating: 0, count: 9)
        for place in 0..<9 {
            let at = (5 + 1 - place / 3) * 10 + 5 + 1 - place % 3
            kernel[place] = Double(poison.delta[at]) + (at == 55 ? 1 : 0)
        }
        var plain = [Double](repeating: 0, count: 100)
        for row in 0..<10 {
            for column in 0..<10 {
                for place in 0..<9 {
                    let (r, c) = (row + place / 3 - 1, column + place % 3 - 1)
                    guard (0..<10).contains(r), (0..<10).contains(c) else { continue }
                    plain[row * 10 + column] += kernel[place] * Double(pixels[100 + r * 10 + c])
                }
            }
        }
        let largest = plain.max() ?? 1
        for at in 0..<100 {
            let wanted = (255 * plain[at] / largest + 0.5).rounded(.down)
            #expect(abs(Double(poison.images.pixels[100 + at]) - wanted) <= 1)
        }
    }
}
