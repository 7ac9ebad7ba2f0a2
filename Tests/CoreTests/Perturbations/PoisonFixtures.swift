import FathomCore

/// Images to be perturbed: smooth, with black and white borders, of any shape and class count.
enum PoisonFixtures {
    static func images(
        _ shape: ImageShape, count: Int, classes: Int, seed: UInt64 = 1
    ) -> ImageSet {
        var pixels: [UInt8] = []
        for image in 0..<count {
            var random = RandomStream(seed: seed).derived("image", image)
            for channel in 0..<shape.channels {
                for row in 0..<shape.height {
                    for column in 0..<shape.width {
                        let border = row < 2 || column < 2
                        let level = 40 * (image % classes) / classes + 3 * row + 2 * column
                        let noise = random.integer(below: 60)
                        pixels.append(border ? UInt8(255 * (channel & 1)) : UInt8(level + noise))
                    }
                }
            }
        }
        return ImageSet(
            channels: shape.channels, height: shape.height, width: shape.width,
            classCount: classes, pixels: pixels, labels: (0..<count).map { Int32($0 % classes) },
            indices: (0..<count).map { 7 * $0 + 3 })
    }

    static let colour = ImageShape(channels: 3, height: 32, width: 32)
    static let grey = ImageShape(channels: 1, height: 28, width: 28)
}

/// A method with settings, a shape and a number of classes, that all properties must hold for.
struct PoisonCase: Sendable, CustomStringConvertible {
    var settings: MethodSettings
    var shape: ImageShape
    var classes: Int
    var count: Int

    var description: String {
        "\(settings.name) \(settings.words) \(settings.numbers) at "
            + "\(shape.channels)x\(shape.height)x\(shape.width), \(classes) classes"
    }

    var images: ImageSet { PoisonFixtures.images(shape, count: count, classes: classes) }

    static let all: [PoisonCase] = {
        let random = ["rand-s", "rand-c"].flatMap { name in
            ["uniform", "sign", "gauss"].map {
                MethodSettings(name: name, words: ["variant": $0])
            }
        }
        let settings =
            [
                MethodSettings(name: "clean"), MethodSettings(name: "lsp"),
                MethodSettings(name: "ops"), MethodSettings(name: "ops", numbers: ["sparsity": 3]),
                MethodSettings(name: "label-noise"), MethodSettings(name: "random-labels"),
                MethodSettings(name: "ar"), MethodSettings(name: "cuda"),
                MethodSettings(name: "pil"),
            ] + random
        return settings.flatMap { settings in
            [
                PoisonCase(
                    settings: settings, shape: PoisonFixtures.colour, classes: 10, count: 600),
                PoisonCase(
                    settings: settings, shape: PoisonFixtures.grey, classes: 7, count: 630),
            ]
        }
    }()
}
