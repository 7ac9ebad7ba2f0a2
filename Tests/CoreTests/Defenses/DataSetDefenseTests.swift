import FathomCore
import Testing

/// Images with given pixels, all of class 0.
func plainImages(_ shape: ImageShape, _ level: (Int, Int, Int) -> Int) -> ImageSet {
    var pixels: [UInt8] = []
    for channel in 0..<shape.channels {
        for row in 0..<shape.height {
            for column in 0..<shape.width {
                pixels.append(UInt8(level(channel, row, column) % 256))
            }
        }
    }
    return ImageSet(
        channels: shape.channels, height: shape.height, width: shape.width, classCount: 2,
        pixels: pixels, labels: [0], indices: [0])
}

/// A formula that other programs can be given too.
func waves(_ shape: ImageShape) -> ImageSet {
    plainImages(shape) { channel, row, column in
        let grain = (row * row * 3 + column * column * 5 + channel * 29) % 37
        return 7 * row + 5 * column + 40 * channel + row * column / 3 + grain
    }
}

/// FNV-1a over bytes.
func fingerprint(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

func rewritten(_ settings: DefenseSettings, _ images: ImageSet) throws -> ImageSet {
    let rewriting = try DefenseRegistry.rewriting(
        settings, fittedTo: images, random: RandomStream(seed: 5))
    return try #require(rewriting).rewritten(images)
}

private let shapes = [PoisonFixtures.colour, PoisonFixtures.grey]

@Suite("Defenses of the data-set stage")
struct DataSetDefenseTests {
    @Test("grey levels are the luma of BT.601, equal in all channels, and stay when taken again")
    func gray() throws {
        let shape = ImageShape(channels: 3, height: 1, width: 1)
        let one = plainImages(shape) { channel, _, _ in [10, 200, 77][channel] }
        #expect(try rewritten(DefenseSettings(name: "gray"), one).pixels == [129, 129, 129])
        let images = PoisonFixtures.images(PoisonFixtures.colour, count: 20, classes: 10)
        let gray = try rewritten(DefenseSettings(name: "gray"), images)
        for image in 0..<images.count {
            let channels = (0..<3).map { channel in
                let from = (image * 3 + channel) * 1_024
                return Array(gray.pixels[from..<(from + 1_024)])
            }
            #expect(channels[0] == channels[1] && channels[1] == channels[2])
        }
        #expect(try rewritten(DefenseSettings(name: "gray"), gray).pixels == gray.pixels)
    }

    @Test("gray means nothing for one channel, and says so")
    func grayOfGray() throws {
        let reason = DefenseRegistry.reasonUnfit(
            "gray", isDense: false, channels: 1, height: 28, width: 28)
        #expect(reason == "gray needs 3 channels, and the images have 1")
        #expect(throws: DefenseError.self) {
            try rewritten(DefenseSettings(name: "gray"), waves(PoisonFixtures.grey))
        }
    }

    @Test("bit depth reduction keeps the highest bits and makes up for nothing", arguments: shapes)
    func bitDepth(shape: ImageShape) throws {
        let images = waves(shape)
        let reduced = try rewritten(DefenseSettings(name: "bdr"), images)
        #expect(Set(reduced.pixels) == [0, 64, 128, 192])
        for (old, new) in zip(images.pixels, reduced.pixels) {
            #expect((0...63).contains(Int(old) - Int(new)))
        }
        let all = try rewritten(DefenseSettings(name: "bdr", numbers: ["bits": 8]), images)
        #expect(all.pixels == images.pixels)
    }

    @Test("JPEG of a grey ramp and of colours comes to the published pixels")
    func jpegVectors() throws {
        let ramp = plainImages(ImageShape(channels: 1, height: 8, width: 8)) { _, row, column in
            20 + 24 * column + 3 * row
        }
        let grey = try rewritten(DefenseSettings(name: "jpeg"), ramp).pixels
        #expect(Array(grey.prefix(8)) == [20, 46, 78, 100, 115, 137, 170, 196])
        #expect(Array(grey.suffix(8)) == [40, 66, 99, 121, 136, 158, 190, 216])
        #expect(grey.reduce(0) { $0 + Int($1) } == 7_552)
        let shape = ImageShape(channels: 3, height: 16, width: 16)
        let colours = plainImages(shape) { channel, row, column in
            [8 * row + 4, 8 * column + 4, row * column][channel]
        }
        let pixels = try rewritten(DefenseSettings(name: "jpeg"), colours).pixels
        func pixel(_ place: Int) -> [UInt8] { (0..<3).map { pixels[$0 * 256 + place] } }
        #expect(pixel(0) == [22, 0, 18])
        #expect(pixel(8 * 16 + 8) == [68, 69, 73])
        #expect(pixel(255) == [105, 124, 200])
    }

    /// Pillow 12 on the same formula; 17x23 has sides that no block divides.
    static let pillow: [(ImageShape, Double, UInt64)] = [
        (PoisonFixtures.colour, 10, 0x34e6_f3f1_cb55_3bbb),
        (PoisonFixtures.colour, 75, 0x51d7_e0e1_4931_646b),
        (PoisonFixtures.grey, 10, 0x545f_55db_cec0_f0f5),
        (PoisonFixtures.grey, 75, 0x7fb7_852a_e8eb_598c),
        (ImageShape(channels: 3, height: 17, width: 23), 10, 0x722c_a73b_f2bf_3df6),
        (ImageShape(channels: 3, height: 17, width: 23), 75, 0x1684_2449_9cb8_5634),
    ]

    @Test("JPEG gives the bytes that Pillow gives", arguments: pillow)
    func pillowBytes(shape: ImageShape, quality: Double, expected: UInt64) throws {
        let settings = DefenseSettings(name: "jpeg", numbers: ["quality": quality])
        #expect(fingerprint(try rewritten(settings, waves(shape)).pixels) == expected)
    }

    @Test("a real blur is the one NumPy computes, and the released blur changes no bit")
    func blur() throws {
        let grey = waves(PoisonFixtures.grey)
        let blurred = try rewritten(DefenseSettings(name: "blur"), grey).pixels
        #expect(fingerprint(blurred) == 0x8b2a_924b_4816_b171)
        for shape in shapes {
            let images = PoisonFixtures.images(shape, count: 30, classes: 10)
            let released = try rewritten(DefenseSettings(name: "gaussian-released"), images)
            #expect(released.pixels == images.pixels && released.numbers == nil)
            let flat = plainImages(shape) { channel, _, _ in 80 * channel + 1 }
            #expect(try rewritten(DefenseSettings(name: "blur"), flat).pixels == flat.pixels)
        }
    }

    @Test("the median is NumPy's, and takes away any single odd pixel", arguments: shapes)
    func median(shape: ImageShape) throws {
        let grey = try rewritten(DefenseSettings(name: "median"), waves(PoisonFixtures.grey))
        #expect(fingerprint(grey.pixels) == 0xb45a_f043_0d71_93de)
        let flat = plainImages(shape) { channel, _, _ in 60 * channel + 9 }
        for place in [0, 5, shape.positions - 1, shape.width * 7 + 3] {
            var odd = flat
            odd.pixels[place] = 255
            #expect(try rewritten(DefenseSettings(name: "median"), odd).pixels == flat.pixels)
        }
    }

    @Test("labels, indices and the sizes of sets stay as they are", arguments: shapes)
    func labelsStay(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 24, classes: 6)
        for name in DefenseRegistry.defenses.filter({ $0.stage == .dataSet }).map(\.name) {
            guard shape.channels == 3 || name != "gray" else { continue }
            let settings = DefenseSettings(
                name: name, numbers: name == "op" ? ["updates": 5] : [:])
            let once = try rewritten(settings, images)
            #expect(once.labels == images.labels && once.indices == images.indices)
            #expect(once.pixels.count == images.pixels.count)
            let again = try rewritten(settings, images)
            #expect(again.pixels == once.pixels && again.numbers == once.numbers)
        }
    }
}

@Suite("Orthogonal projection")
struct ProjectionTests {
    @Test(
        "the basis is orthonormal, projections have nothing left of it and stay", arguments: shapes)
    func algebra(shape: ImageShape) throws {
        let images = PoisonFixtures.images(shape, count: 40, classes: 4)
        var random = RandomStream(seed: 2)
        var vectors = (0..<3).map { _ in
            (0..<shape.elements).map { _ in random.uniform(-1, 1) }
        }
        // What depends on others adds no direction.
        vectors.append(zip(vectors[0], vectors[1]).map { $0 + 2 * $1 })
        let projection = OrthogonalProjection(removing: vectors)
        #expect(projection.basis.count == 3)
        for (row, left) in projection.basis.enumerated() {
            for (column, right) in projection.basis.enumerated() {
                #expect(abs(dot(left, right) - (row == column ? 1 : 0)) < 1e-5)
            }
        }
        let once = projection.rewritten(images)
        let numbers = try #require(once.numbers)
        for image in 0..<images.count {
            let own = Array(numbers[image * shape.elements..<(image + 1) * shape.elements])
            for direction in projection.basis { #expect(abs(dot(own, direction)) < 1e-5) }
        }
        let twice = try #require(projection.rewritten(once).numbers)
        #expect(zip(numbers, twice).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    private func dot(_ left: [Float], _ right: [Float]) -> Double {
        zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    @Test("a class's pattern that a linear classifier reads from images is no longer read after it")
    func classWiseNoise() throws {
        let images = striped(2_000, side: 16)
        let before = try linearAccuracy(images)
        let after = try linearAccuracy(try rewritten(DefenseSettings(name: "op"), images))
        #expect(before > 0.95)
        #expect(after < 0.5, "\(before) to \(after)")
    }

    /// Smooth random images under one sign pattern a class; labels mean nothing else.
    private func striped(_ count: Int, side: Int) -> ImageSet {
        var random = RandomStream(seed: 11)
        let patterns = (0..<10).map { _ in
            (0..<side * side).map { _ in random.uniform() < 0.5 ? -8 : 8 }
        }
        var pixels: [UInt8] = []
        for image in 0..<count {
            let (height, width) = (random.uniform(-4, 4), random.uniform(-4, 4))
            for place in 0..<side * side {
                let slope = height * Float(place / side) + width * Float(place % side)
                let level = 128 + Int(slope) + patterns[image % 10][place]
                pixels.append(UInt8(min(max(level + random.integer(below: 9) - 4, 0), 255)))
            }
        }
        return ImageSet(
            channels: 1, height: side, width: side, classCount: 10, pixels: pixels,
            labels: (0..<count).map { Int32($0 % 10) }, indices: Array(0..<count))
    }

    private func linearAccuracy(_ images: ImageSet) throws -> Double {
        let network = try ModelRegistry.classifier(
            ModelSettings(name: "linear"), channels: 1, height: images.height,
            width: images.width, classes: 10)
        let settings = TrainingSettings(
            epochs: 30, batch: 100, learningRate: 0.1, momentum: 0.9, weightDecay: 0)
        let trainer = Trainer(
            network: network, settings: settings, images: images, random: RandomStream(seed: 1))
        for _ in 0..<30 { _ = trainer.trainEpoch() }
        return Evaluator.evaluate(trainer.executor, on: images, batch: 500).accuracy
    }
}
