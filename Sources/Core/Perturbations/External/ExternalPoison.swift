/// A poison made elsewhere, as what it does to every image of a clean training set.
public struct ExternalPoison: Sendable {
    /// What is added to bytes, `[images][channels][height][width]`; exact, so that clean images
    /// plus this are the poisoned ones.
    public let delta: [Int16]
    /// Which images the source had.
    public let covered: [Bool]
    let shape: ImageShape
    /// Shares and sizes over the covered images, in pixels of 0...1.
    public private(set) var numbers: [String: Double] = [:]
    /// How the source was understood.
    public private(set) var words: [String: String] = [:]

    /// The file of an imported poison's grey levels in its folder.
    static let deltaName = "delta.npy"
    /// Which images they cover; only of partial poisons.
    static let coveredName = "covered.npy"

    /// Reads what lies at `path` and puts it on clean images.
    ///
    /// - Parameter clean: The whole training set in its own order.
    public init(
        path: String, on clean: ImageSet, settings: ExternalSettings
    ) throws(ExternalError) {
        let source = try ExternalSource.read(path, shape: clean.shape, settings: settings)
        let placed = try ExternalPlacement(file: path, clean: clean, settings: settings)
            .placed(source)
        delta = placed.delta
        covered = placed.covered
        shape = clean.shape
        words = [
            "application": placed.application.rawValue, "sign": settings.sign.rawValue,
            "rounding": settings.rounding.rawValue,
        ]
        numbers = ["clippedShare": placed.clippedShare]
        numbers.merge(sizes()) { _, new in new }
    }

    // MARK: As a file

    /// The bytes that a job reads: equal poisons give equal bytes.
    public func encoded() -> [UInt8] {
        var file = SafetensorsFile(metadata: ["format": "fathom-external-1"])
        let sizes = [covered.count, shape.channels, shape.height, shape.width]
        file.set("delta", to: StoredArray(shape: sizes, values: .int16(delta)))
        file.set(
            "covered",
            to: StoredArray(shape: [covered.count], values: .uint8(covered.map { $0 ? 1 : 0 })))
        return file.encoded()
    }

    /// What turns clean images into poisoned ones, each found by its index in the clean set.
    public init(from clean: ImageSet, to poisoned: ImageSet) {
        precondition(clean.shape == poisoned.shape, "images of two sizes")
        shape = clean.shape
        let size = shape.elements
        var delta = [Int16](repeating: 0, count: clean.pixels.count)
        var covered = [Bool](repeating: false, count: clean.count)
        for (place, index) in poisoned.indices.enumerated() {
            covered[index] = true
            for element in 0..<size {
                delta[index * size + element] =
                    Int16(poisoned.pixels[place * size + element])
                    - Int16(clean.pixels[index * size + element])
            }
        }
        self.delta = delta
        self.covered = covered
        numbers = sizes()
    }

    /// Reads what `encoded` wrote.
    public init(encodedAt path: String) throws {
        let file = try SafetensorsFile(path: path)
        guard let array = file["delta"], case .int16(let delta) = array.values,
            let covered = file["covered"]?.bytes, array.shape.count == 4,
            array.shape[0] == covered.count,
            delta.allSatisfy({ (-255...255).contains($0) })
        else {
            throw ExternalError.misfit(
                file: path, expected: "delta [N, C, H, W] and covered [N]", found: "something else")
        }
        self.delta = delta
        self.covered = covered.map { $0 != 0 }
        shape = ImageShape(
            channels: array.shape[1], height: array.shape[2], width: array.shape[3])
        numbers = sizes()
    }

    /// Writes `delta.npy` and, of a partial poison, `covered.npy` into a folder.
    public func write(to folder: String) throws(CheckpointError) {
        let sizes = [covered.count, shape.channels, shape.height, shape.width]
        let isSmall = delta.allSatisfy { (-128...127).contains($0) }
        let values: StoredValues =
            isSmall ? .int8(delta.map { Int8($0) }) : .int16(delta)
        try NPYFile(StoredArray(shape: sizes, values: values))
            .write(to: folder + "/" + Self.deltaName)
        guard covered.contains(false) else { return }
        let marks = StoredArray(
            shape: [covered.count], values: .uint8(covered.map { $0 ? 1 : 0 }))
        try NPYFile(marks).write(to: folder + "/" + Self.coveredName)
    }

    // MARK: On images

    /// The images as poisoned, each found by its index in the clean training set.
    public func applied(to images: ImageSet) throws(ExternalError) -> ImageSet {
        let size = shape.elements
        guard images.shape == shape, images.indices.allSatisfy({ $0 < covered.count }) else {
            throw .misfit(
                file: "the imported poison", expected: "the images it was imported for",
                found: "images of another size or set")
        }
        var poisoned = images
        for (place, index) in images.indices.enumerated() {
            for element in 0..<size {
                let at = place * size + element
                let level = Int(images.pixels[at]) + Int(delta[index * size + element])
                guard (0...255).contains(level) else {
                    throw .misfit(
                        file: "the imported poison", expected: "the images it was imported for",
                        found: "others: image \(index) leaves 0...255")
                }
                poisoned.pixels[at] = UInt8(level)
            }
        }
        return poisoned
    }

    /// The same over the images of these indices alone.
    public func sizes(of indices: [Int]) -> [String: Double] { sizes(indices) }

    private func sizes(_ indices: [Int]? = nil) -> [String: Double] {
        let size = shape.elements
        let chosen = indices ?? Array(covered.indices)
        let perturbed = chosen.filter { covered[$0] }
        var largest: [Double] = []
        var norms: [Double] = []
        for image in perturbed {
            var squares = 0
            var peak = 0
            for place in (image * size)..<((image + 1) * size) {
                let moved = Int(delta[place])
                squares += moved * moved
                peak = max(peak, abs(moved))
            }
            largest.append(Double(peak) / 255)
            norms.append(Double(squares).squareRoot() / 255)
        }
        var numbers = ["coverage": Double(perturbed.count) / Double(max(1, chosen.count))]
        for (name, values) in [("linf", largest.sorted()), ("l2", norms.sorted())] {
            numbers[name + "Min"] = values.first ?? 0
            numbers[name + "Median"] = values.isEmpty ? 0 : values[values.count / 2]
            numbers[name + "Max"] = values.last ?? 0
        }
        return numbers
    }
}
