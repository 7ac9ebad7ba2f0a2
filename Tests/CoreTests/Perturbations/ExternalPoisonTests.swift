import FathomCore
import Foundation
import Testing

@Suite("Poisons made elsewhere")
struct ExternalPoisonTests {
    private let scratch: DataScratch
    private let colour = PoisonFixtures.images(
        ImageShape(channels: 3, height: 6, width: 5), count: 20, classes: 4)
    private let grey = PoisonFixtures.images(
        ImageShape(channels: 1, height: 7, width: 7), count: 20, classes: 4)

    init() throws { scratch = try DataScratch() }

    private func read(
        _ name: String, on clean: ImageSet, _ settings: ExternalSettings = ExternalSettings()
    ) throws -> ExternalPoison {
        try ExternalPoison(path: scratch.path + "/" + name, on: clean, settings: settings)
    }

    /// The clean set, each image at its own place.
    private func whole(_ images: ImageSet) -> ImageSet {
        var images = images
        images.indices = Array(0..<images.count)
        return images
    }

    private func poisoned(_ images: ImageSet) -> ImageSet {
        var random = RandomStream(seed: 8)
        var moved = images
        for place in moved.pixels.indices {
            let level = Int(moved.pixels[place]) + random.integer(below: 17) - 8
            moved.pixels[place] = UInt8(min(max(level, 0), 255))
        }
        return moved
    }

    private func complaint(
        _ name: String, on clean: ImageSet, _ settings: ExternalSettings = ExternalSettings()
    ) -> String {
        ArrayFixtures.complaint { _ = try read(name, on: clean, settings) }
    }

    private func put(_ array: StoredArray, _ name: String) throws {
        try scratch.write(NPYFile(array).encoded(), to: name)
    }

    private let card = PoisonExport.Card(
        name: "mine", dataSet: "toy", cleanDigest: Digest(of: Array("toy".utf8)), source: "a test",
        numbers: [:], words: [:])

    @Test("every form that is written is read back exactly", arguments: PoisonExport.Form.allCases)
    func roundTrips(form: PoisonExport.Form) throws {
        for clean in [whole(colour), whole(grey)] {
            let moved = poisoned(clean)
            let poison = ExternalPoison(from: clean, to: moved)
            let name = "poison-\(clean.channels).\(form.rawValue)"
            try PoisonExport(clean: clean, poison: poison)
                .write(form, to: scratch.path + "/" + name, card: card)
            let again = try read(name, on: clean)
            #expect(again.delta == poison.delta)
            #expect(try again.applied(to: clean).pixels == moved.pixels)
            #expect(again.numbers["coverage"] == 1)
            #expect(abs((again.numbers["linfMax"] ?? 0) - 8.0 / 255) < 1e-9)
            let kept = scratch.path + "/encoded"
            try Data(again.encoded()).write(to: URL(fileURLWithPath: kept))
            let decoded = try ExternalPoison(encodedAt: kept)
            #expect(decoded.delta == poison.delta && decoded.covered == again.covered)
        }
    }

    @Test(
        "a part of the images is a poison only where that is said; the others stay clean",
        arguments: [PoisonExport.Form.png, .folder])
    func partial(form: PoisonExport.Form) throws {
        let clean = whole(colour)
        let subset = poisoned(clean.selecting([3, 17, 5]))
        let poison = ExternalPoison(from: clean, to: subset)
        try PoisonExport(clean: clean, poison: poison)
            .write(form, to: scratch.path + "/part", card: card)
        if form == .png {
            #expect(
                complaint("part", on: clean).hasSuffix(
                    "part: expected 20 images, found 3, without 0.png; to leave the others clean, "
                        + "allow partial"))
        }
        let again = try read("part", on: clean, ExternalSettings(allowsPartial: true))
        #expect(again.covered.enumerated().filter(\.element).map(\.offset) == [3, 5, 17])
        #expect(again.numbers["coverage"] == 0.15)
        #expect(
            try again.applied(to: clean.selecting([17, 4])).pixels
                == subset.selecting([1]).pixels + clean.selecting([4]).pixels)
    }

    @Test("perturbations of images and of classes are added, in both orders of axes")
    func adding() throws {
        let clean = whole(colour)
        let size = clean.pixelsPerImage
        var delta = (0..<4 * size).map { Float($0 % 17 - 8) / 255 }
        try put(StoredArray(shape: [4, 3, 6, 5], values: .float32(delta)), "classes.npy")
        let byClass = try read("classes.npy", on: clean)
        for image in 0..<clean.count {
            for place in stride(from: 0, to: size, by: 11) {
                let wanted =
                    Double(clean.pixels[image * size + place])
                    + 255 * Double(delta[image % 4 * size + place])
                let level = Int(min(max(wanted, 0), 255) + 0.5)
                #expect(
                    Int(byClass.delta[image * size + place])
                        == level - Int(clean.pixels[image * size + place]))
            }
        }
        // The same for every image, channels last.
        delta = (0..<clean.count).flatMap { image in
            (0..<size).map { place in
                let (position, channel) = (place / 3, place % 3)
                return delta[image % 4 * size + channel * 30 + position]
            }
        }
        try put(StoredArray(shape: [20, 6, 5, 3], values: .float32(delta)), "last.npy")
        #expect(try read("last.npy", on: clean).delta == byClass.delta)
    }

    @Test("signs, rounding and whole grey levels are as the settings say")
    func settings() throws {
        let clean = plainImages(ImageShape(channels: 1, height: 1, width: 4)) { _, _, column in
            [0, 100, 100, 255][column]
        }
        let delta: [Float] = [-0.02, -0.0151, 0.0151, 0.02]
        try put(StoredArray(shape: [1, 1, 1, 4], values: .float32(delta)), "d.npy")
        let plain = try read("d.npy", on: clean)
        #expect(plain.delta == [0, -4, 4, 0] && plain.numbers["clippedShare"] == 0.5)
        #expect(plain.words == ["application": "add", "rounding": "nearest", "sign": "both"])
        #expect(
            try read("d.npy", on: clean, ExternalSettings(sign: .positive)).delta == [0, 0, 4, 0])
        let cut = try read("d.npy", on: clean, ExternalSettings(rounding: .truncate))
        #expect(cut.delta == [0, -4, 3, 0])
        try put(StoredArray(shape: [1, 1, 4], values: .int8([-3, 5, -100, 9])), "i.npy")
        #expect(try read("i.npy", on: clean).delta == [0, 5, -100, 0])
        try put(StoredArray(shape: [1, 1, 1, 4], values: .float32([0, 0.5, 1, 0.25])), "f.npy")
        let replaced = try read("f.npy", on: clean, ExternalSettings(application: .replace))
        #expect(replaced.delta == [0, 28, 155, -191])
        #expect(complaint("f.npy", on: clean).contains("these look like images"))
    }

    @Test("arrays that do not fit the images are refused with what would")
    func misfits() throws {
        let clean = whole(colour)
        let cases: [(String, StoredArray, String)] = [
            (
                "a.npy",
                StoredArray(
                    shape: [20, 3, 5, 6], values: .int8(Array(repeating: 0, count: 1_800))),
                "expected an array [N, 3, 6, 5] or [N, 6, 5, 3], found [20, 3, 5, 6]"
            ),
            (
                "b.npy",
                StoredArray(
                    shape: [19, 3, 6, 5], values: .int8(Array(repeating: 0, count: 1_710))),
                "expected 20 images, or 4 patterns of classes, found 19"
            ),
            (
                "c.npy",
                StoredArray(
                    shape: [1, 20, 3, 6, 5], values: .int8(Array(repeating: 0, count: 1_800))),
                "of several rounds save one"
            ),
            (
                "d.npy",
                StoredArray(
                    shape: [20, 3, 6, 5], values: .float32(Array(repeating: 8, count: 1_800))),
                "expected pixels scaled to -1.0...1.0, found numbers from 8.0 to 8.0"
            ),
            (
                "e.npy",
                StoredArray(
                    shape: [20, 3, 6, 5], values: .int16(Array(repeating: 300, count: 1_800))),
                "expected grey levels of -255...255, found 300"
            ),
            (
                "f.npy",
                StoredArray(shape: [4, 3, 6, 5], values: .uint8(Array(repeating: 1, count: 360))),
                "patterns of classes are added"
            ),
            ("g.npy", StoredArray(shape: [], values: .int8([1])), "found []"),
        ]
        for (name, array, says) in cases {
            try put(array, name)
            #expect(complaint(name, on: clean).contains(says), "\(complaint(name, on: clean))")
        }
        try put(StoredArray(shape: [20, 3, 6, 5], values: .uint8(colour.pixels)), "u.npy")
        #expect(
            complaint("u.npy", on: clean, ExternalSettings(application: .add)).contains(
                "bytes; they are images"))
        #expect(complaint("nothing.npy", on: clean).contains("expected a folder or a file"))
        try scratch.write([0x80, 4, 0x4E, 0x2E], to: "p.pkl")
        #expect(complaint("p.pkl", on: clean).contains("a pickle, which is never run"))
        try scratch.write(
            NPZFile([("a", cases[0].1), ("b", cases[1].1)]).encoded(), to: "two.npz")
        #expect(
            complaint("two.npz", on: clean).contains("one array, or array: NAME, found arrays a, b")
        )
        #expect(
            complaint("two.npz", on: clean, ExternalSettings(array: "c")).contains(
                "an array called c"))
    }

    @Test("folders are refused whose images are named twice, linked away, too many, or JPEG")
    func folders() throws {
        let clean = whole(grey)
        let poison = ExternalPoison(from: clean, to: poisoned(clean))
        func fresh(_ name: String) throws -> String {
            let path = scratch.path + "/" + name
            try PoisonExport(clean: clean, poison: poison).write(.png, to: path, card: card)
            return path
        }
        let files = FileManager.default
        var path = try fresh("twice")
        try files.copyItem(atPath: path + "/7.png", toPath: path + "/07.png")
        #expect(complaint("twice", on: clean).contains("one file for image 7, found two"))
        path = try fresh("beyond")
        try files.moveItem(atPath: path + "/7.png", toPath: path + "/20.png")
        #expect(complaint("beyond", on: clean).contains("found 20.png"))
        path = try fresh("named")
        try files.moveItem(atPath: path + "/7.png", toPath: path + "/cat7.png")
        #expect(complaint("named", on: clean).contains("a name such as 17.png"))
        path = try fresh("linked")
        try files.removeItem(atPath: path + "/7.png")
        try files.createSymbolicLink(
            atPath: path + "/7.png", withDestinationPath: scratch.path + "/named/8.png")
        #expect(complaint("linked", on: clean).contains("outside its data folder"))
        path = try fresh("lossy")
        try scratch.write([0xFF, 0xD8], to: "lossy/3.jpg")
        #expect(complaint("lossy", on: clean).contains("JPEG"))
        path = try fresh("broken")
        try scratch.write([1, 2, 3], to: "broken/4.png")
        #expect(complaint("broken", on: clean).contains("4.png"))
        path = try fresh("larger")
        try PNGFile(
            width: 8, height: 7, color: .gray, samples: .bytes(Array(repeating: 1, count: 56))
        )
        .write(to: path + "/5.png")
        #expect(complaint("larger", on: clean).contains("expected 7x7 pixels, found 8x7"))
        // The images may also lie in a folder data, as public benchmarks have them.
        _ = try fresh("outer/data")
        #expect(try read("outer", on: clean).delta == poison.delta)
    }

    @Test("an imported poison is refused on images that it was not made for")
    func otherImages() throws {
        let clean = whole(grey)
        var white = clean
        for place in white.pixels.indices { white.pixels[place] = 255 }
        let poison = ExternalPoison(from: clean, to: white)
        #expect(throws: ExternalError.self) { try poison.applied(to: white) }
        #expect(throws: ExternalError.self) { try poison.applied(to: whole(colour)) }
        #expect(throws: ExternalError.self) { try poison.applied(to: grey) }
    }
}
