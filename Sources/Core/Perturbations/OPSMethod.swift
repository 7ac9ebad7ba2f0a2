/// One-pixel shortcuts (Wu et al., ICLR 2023, arXiv 2205.12141): for each key, the position and
/// corner colour that its images have the least and most evenly, set in all of them.
///
/// Departures from the source: a colour that the images have already scores 0 where it divided
/// 0 by 0, the deviation is floored at one grey level, equal scores go to the position nearest the
/// centre, and width and number of keys are those of the images.
struct OPSMethod: PerturbationMethod {
    let name = "ops"
    let revision = 1
    let summary = "one pixel of one colour for every class"
    private static let channelsMax = 8

    let parameters = [
        MethodParameter(
            name: "sparsity", kind: .number(default: 1, range: 1...64, whole: true),
            meaning: "how many pixels of an image are set")
    ]

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        let sparsity = Int(settings.numbers["sparsity"] ?? 1)
        guard shape.channels <= OPSMethod.channelsMax, sparsity <= shape.positions else {
            throw .unsuited(
                method: name,
                reason: "images of \(shape.channels) channels and \(shape.positions) positions; "
                    + "it takes up to \(OPSMethod.channelsMax) channels and "
                    + "\(sparsity) positions or more")
        }
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        PerturbationTraits(
            budget: .positions(Int(settings.numbers["sparsity"] ?? 1)), form: .position,
            probe: .reported, seedShare: nil)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let images = request.images
        let chosen = try choose(request)
        let size = images.pixelsPerImage
        let positions = images.shape.positions
        var delta = [Float](repeating: 0, count: images.pixels.count)
        for (image, key) in request.keys.enumerated() {
            for pair in chosen[key] ?? [] {
                for channel in 0..<images.channels {
                    let at = image * size + channel * positions + pair.position
                    delta[at] = pair.level(channel) - Float(images.pixels[at]) / 255
                }
            }
        }
        let list = OPSDecisionList(pixels: chosen)
        let reading = list.read(images, keys: request.keys)
        return Perturbation(
            delta: delta,
            numbers: ["decisionListAccuracy": reading.accuracy, "decisionListTies": reading.ties],
            words: ["pixels": list.text(width: images.width, channels: images.channels)])
    }

    /// The best free pairs of every key, the lowest key choosing first.
    private func choose(_ request: CraftRequest) throws(MethodError) -> [Int32: [OPSPixel]] {
        let shape = request.images.shape
        let sparsity = Int(request.number("sparsity"))
        let keys = Set(request.keys).sorted()
        guard keys.count * sparsity <= shape.positions << shape.channels else {
            throw .unsuited(
                method: name,
                reason: "\(keys.count) keys with \(sparsity) pixels each, and only "
                    + "\(shape.positions << shape.channels) pairs of position and colour")
        }
        var used: Set<OPSPixel> = []
        var chosen: [Int32: [OPSPixel]] = [:]
        for (key, sums) in OPSSums.byKey(request) {
            var mine: [OPSPixel] = []
            for _ in 0..<sparsity {
                guard let best = sums.best(shape: shape, used: used, taken: mine) else {
                    throw .unsuited(method: name, reason: "no free pixel is left for key \(key)")
                }
                used.insert(best)
                mine.append(best)
            }
            chosen[key] = mine
        }
        return chosen
    }
}

/// A position and a corner colour.
struct OPSPixel: Hashable {
    /// Row by row within one channel.
    var position: Int
    /// Bit `c` is the value of channel `c`.
    var colour: Int

    /// The value of one channel, 0 or 1.
    func level(_ channel: Int) -> Float { colour >> channel & 1 == 1 ? 1 : 0 }
}
