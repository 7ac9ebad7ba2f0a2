/// Puts what a source holds on clean images.
struct ExternalPlacement {
    let file: String
    let clean: ImageSet
    let settings: ExternalSettings

    /// What came of it.
    struct Placed {
        var delta: [Int16]
        var covered: [Bool]
        var application: ExternalSettings.Application
        /// The share of numbers that left 0...255 and were cut off.
        var clippedShare = 0.0
    }

    private func refusal(_ expected: String, _ found: String) -> ExternalError {
        .misfit(file: file, expected: expected, found: found)
    }

    func placed(_ source: ExternalSource) throws(ExternalError) -> Placed {
        switch source {
        case .images(let images): return try replaced(images)
        case .imported(let array, let covered):
            guard settings.application != .replace, array.integers != nil,
                array.shape.first == clean.count
            else { throw refusal("whole grey levels to be added, for every image", "others") }
            var placed = try placed(array)
            guard let covered else { return placed }
            guard let marks = covered.bytes, marks.count == clean.count else {
                throw refusal("a byte of covered for every image", "\(covered.shape)")
            }
            placed.covered = marks.map { $0 != 0 }
            return placed
        case .array(let array): return try placed(array)
        }
    }

    // MARK: Folders

    private func replaced(_ images: [Int: [UInt8]]) throws(ExternalError) -> Placed {
        guard settings.application != .add else {
            throw refusal("an array to be added", "images; leave apply out, or write replace")
        }
        if let index = images.keys.filter({ $0 >= clean.count }).min() {
            throw refusal("indices below \(clean.count), the clean set's size", "\(index).png")
        }
        if let missing = (0..<clean.count).first(where: { images[$0] == nil }),
            !settings.allowsPartial
        {
            throw refusal(
                "\(clean.count) images",
                "\(images.count), without \(missing).png; to leave the others clean, allow partial")
        }
        let size = clean.pixelsPerImage
        var placed = Placed(
            delta: Array(repeating: 0, count: clean.pixels.count),
            covered: (0..<clean.count).map { images[$0] != nil }, application: .replace)
        for (index, pixels) in images {
            for (element, pixel) in pixels.enumerated() {
                let at = index * size + element
                placed.delta[at] = Int16(pixel) - Int16(clean.pixels[at])
            }
        }
        return placed
    }

    // MARK: Arrays

    private func placed(_ array: StoredArray) throws(ExternalError) -> Placed {
        let layout = try ArrayLayout(array.shape, clean: clean, file: file)
        let levels = try levels(array)
        guard !layout.isClassWise || levels.application == .add else {
            throw refusal(
                "\(clean.count) images", "\(array.shape[0]); patterns of classes are added")
        }
        let size = clean.pixelsPerImage
        var placed = Placed(
            delta: Array(repeating: 0, count: clean.pixels.count),
            covered: Array(repeating: true, count: clean.count), application: levels.application)
        var clipped = 0
        for image in 0..<clean.count {
            let row = layout.isClassWise ? Int(clean.labels[image]) : image
            for element in 0..<size {
                let at = image * size + element
                let given = levels.values[row * size + layout.place(element)]
                let kept =
                    settings.sign == .positive && levels.application == .add
                    ? max(given, 0) : given
                let base = levels.application == .add ? Double(clean.pixels[at]) : 0
                let moved = base + kept
                if moved < -0.001 || moved > 255.001 { clipped += 1 }
                let cut = min(max(moved, 0), 255)
                let level = settings.rounding == .nearest ? Int(cut + 0.5) : Int(cut)
                placed.delta[at] = Int16(level) - Int16(clean.pixels[at])
            }
        }
        placed.clippedShare = Double(clipped) / Double(max(1, clean.pixels.count))
        return placed
    }

    /// The array's numbers in grey levels, and what they are for.
    private func levels(
        _ array: StoredArray
    ) throws(ExternalError) -> (values: [Double], application: ExternalSettings.Application) {
        if let whole = array.integers {
            let isImage = array.bytes != nil
            let application =
                settings.application == .auto ? (isImage ? .replace : .add) : settings.application
            let range = application == .add ? -255...255 : 0...255
            guard !(isImage && application == .add) else {
                throw refusal("signed numbers to be added", "bytes; they are images")
            }
            if let outside = whole.first(where: { !range.contains($0) }) {
                throw refusal(
                    "grey levels of \(range.lowerBound)...\(range.upperBound)", "\(outside)")
            }
            return (whole.map { Double($0) }, application)
        }
        return try fractions(array)
    }

    private func fractions(
        _ array: StoredArray
    ) throws(ExternalError) -> (values: [Double], application: ExternalSettings.Application) {
        guard let values = array.doubles ?? array.floats?.map({ Double($0) }) else {
            throw refusal("numbers", "another type")
        }
        let lowest = values.min() ?? 0
        let highest = values.max() ?? 0
        let application = settings.application == .auto ? .add : settings.application
        let range = application == .add ? -1.0...1.0 : 0.0...1.0
        guard range.contains(lowest), range.contains(highest) else {
            throw refusal(
                "pixels scaled to \(range.lowerBound)...\(range.upperBound)",
                "numbers from \(lowest) to \(highest)")
        }
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        guard settings.application != .auto || lowest < 0 || mean < 0.1 else {
            throw refusal(
                "perturbations to be added, or apply: replace",
                "no number below 0 and a mean of \(mean): these look like images")
        }
        return (values.map { $0 * 255 }, application)
    }
}

/// How an array's axes lie over images.
struct ArrayLayout {
    /// One pattern a class instead of one an image.
    let isClassWise: Bool
    private let channelsLast: Bool
    private let shape: ImageShape

    init(_ sizes: [Int], clean: ImageSet, file: String) throws(ExternalError) {
        shape = clean.shape
        let (channels, height, width) = (shape.channels, shape.height, shape.width)
        let first = [channels, height, width]
        let last = [height, width, channels]
        let inner = Array(sizes.dropFirst())
        let isFlat = channels == 1 && inner == [height, width]
        guard inner == first || inner == last || isFlat else {
            let several = sizes.count == 5 ? "; of several rounds save one" : ""
            throw .misfit(
                file: file,
                expected: "an array [N, \(channels), \(height), \(width)] or "
                    + "[N, \(height), \(width), \(channels)]", found: "\(sizes)\(several)")
        }
        channelsLast = inner == last && inner != first
        guard sizes[0] == clean.count || sizes[0] == clean.classCount else {
            throw .misfit(
                file: file,
                expected: "\(clean.count) images, or \(clean.classCount) patterns of classes",
                found: "\(sizes[0])")
        }
        isClassWise = sizes[0] != clean.count
    }

    /// Where in the array's image an element of `[channels][height][width]` lies.
    func place(_ element: Int) -> Int {
        guard channelsLast else { return element }
        return element % shape.positions * shape.channels + element / shape.positions
    }
}
