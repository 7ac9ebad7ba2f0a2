import Synchronization

/// Autoregressive perturbations (Sandoval-Segura et al., NeurIPS 2022, arXiv 2206.03693): noise that
/// follows a linear recurrence of its key, so that one 3x3 filter annihilates it.
///
/// Departures from the source: it accepts a process when all earlier filters respond to its signal
/// by a threshold, which may never find enough of them, and asks one direction only. Here a fixed
/// number of stable candidates is drawn, and of these the most unlike are taken one after the
/// other, judged in both directions; ten classes end up further apart than the source's ten. The
/// Euclidean budget of 1 at 3x32x32 scales with the root of the size.
struct ARMethod: PerturbationMethod {
    let name = "ar"
    let revision = 1
    let summary = "noise that follows a linear recurrence of its class"

    let parameters = [
        MethodParameter(
            name: "radius", kind: .number(default: nil, range: 0.001...1000, whole: false),
            meaning: "the Euclidean norm of an image's noise; 1 for 3x32x32, by root of size"),
        MethodParameter(
            name: "candidates", kind: .number(default: nil, range: 2...10000, whole: true),
            meaning: "how many stable processes are drawn to choose the most unlike from; 200, or "
                + "1000 for grey images, where more processes are stable and fewer unlike"),
    ]

    func sizedDefault(of parameter: String, shape: ImageShape) -> Double {
        if parameter == "candidates" { return shape.channels == 1 ? 1000 : 200 }
        return (Double(shape.elements) / 3072).squareRoot()
    }

    func validate(_ settings: MethodSettings, shape: ImageShape) throws(MethodError) {
        guard min(shape.height, shape.width) >= 8 else {
            throw .unsuited(
                method: name,
                reason: "images of \(shape.height)x\(shape.width); sides of at least 8 are needed "
                    + "for processes to be told apart")
        }
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        PerturbationTraits(
            budget: .norm(settings.numbers["radius"] ?? 0), form: .sampleWise, probe: .reported,
            seedShare: 0.5)
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let shape = request.images.shape
        let search = try ARSearch.processes(request, count: request.keyCount)
        let radius = request.number("radius")
        var delta: [Float] = []
        delta.reserveCapacity(request.images.pixels.count)
        for (index, key) in zip(request.images.indices, request.keys) {
            var random = request.stream("start", index)
            guard
                let signal = search.processes[Int(key)].signal(shape, &random, normMax: .infinity)
            else {
                throw .unsuited(method: name, reason: "the process of key \(key) is not stable")
            }
            delta += signal.map { Float($0 * radius) }
        }
        let reading = ARReading(processes: search.processes, shape: shape)
        var numbers = reading.report(request, delta: delta)
        numbers["processesDrawn"] = Double(search.drawn)
        if search.distance.isFinite { numbers["processDistance"] = search.distance }
        return Perturbation(delta: delta, numbers: numbers)
    }
}

/// Finds one process for every key, as unlike as possible.
struct ARSearch {
    private static let drawsMax = 2_000_000
    private static let normMax = 50.0
    /// Candidates among which the first process is looked for.
    private static let firsts = 16

    let processes: [ARProcess]
    /// The weakest response of one process's filter to another's signal.
    let distance: Double
    /// How many coefficients were drawn until there were enough stable ones.
    let drawn: Int

    /// The processes of the request's seed; a larger count begins with the same.
    static func processes(_ request: CraftRequest, count: Int) throws(MethodError) -> ARSearch {
        let key = Key(
            shape: request.images.shape, count: count, seed: request.seed,
            candidates: Int(request.number("candidates")))
        if let known = memo.withLock({ $0[key] }) { return known }
        let found = try search(request, key)
        memo.withLock { memo in
            if memo.count >= 4 { memo.removeAll() }
            memo[key] = found
        }
        return found
    }

    private struct Key: Hashable {
        var shape: ImageShape
        var count: Int
        var seed: UInt64
        var candidates: Int
    }

    /// Searches of late: a pure function of their keys, and a poison is crafted several times.
    private static let memo = Mutex<[Key: ARSearch]>([:])

    private typealias Candidate = (process: ARProcess, signal: [Double])

    private static func search(
        _ request: CraftRequest, _ key: Key
    ) throws(MethodError) -> ARSearch {
        guard key.count <= key.candidates else {
            throw .unsuited(
                method: request.settings.name,
                reason: "\(key.count) keys are more than the \(key.candidates) candidates")
        }
        var pool: [Candidate] = []
        var draw = 0
        while pool.count < key.candidates {
            guard draw < drawsMax else {
                throw .unsuited(
                    method: request.settings.name,
                    reason: "\(pool.count) of \(drawsMax) processes drawn are stable; take fewer "
                        + "candidates than \(key.candidates)")
            }
            var random = request.stream("process", draw)
            draw += 1
            let process = ARProcess(channels: key.shape.channels, &random)
            if let signal = process.stableSignal(key.shape, &random, normMax: normMax) {
                pool.append((process, signal))
            }
        }
        let (chosen, distance) = farthest(pool, count: key.count, shape: key.shape)
        return ARSearch(
            processes: chosen.map { pool[$0].process }, distance: distance, drawn: draw)
    }

    /// Candidates chosen one after the other, each the most unlike those before it.
    private static func farthest(
        _ pool: [Candidate], count: Int, shape: ImageShape
    ) -> (chosen: [Int], distance: Double) {
        func apart(_ one: Int, _ other: Int) -> Double {
            min(
                pool[one].process.response(to: pool[other].signal, shape),
                pool[other].process.response(to: pool[one].signal, shape))
        }
        let firsts = 0..<min(Self.firsts, pool.count)
        let typical = firsts.map { one in
            let others = firsts.filter { $0 != one }.map { apart(one, $0) }.sorted()
            return others[others.count / 2]
        }
        var chosen: [Int] = []
        var nearest = [Double](repeating: .infinity, count: pool.count)
        var distance = Double.infinity
        var next = typical.indices.max { typical[$0] < typical[$1] } ?? 0
        while chosen.count < count {
            if !chosen.isEmpty { distance = min(distance, nearest[next]) }
            chosen.append(next)
            nearest[next] = -1
            for index in pool.indices where nearest[index] >= 0 {
                nearest[index] = min(nearest[index], apart(next, index))
            }
            next = nearest.indices.max { nearest[$0] < nearest[$1] } ?? 0
        }
        return (chosen, distance)
    }
}

/// A 3x3 recurrence for every channel: each value is a weighted sum of the eight before it.
struct ARProcess {
    private static let signalsTried = 3
    /// `[channels][9]`; the last of each is 0, and each nine sum up to 1.
    private let weights: [[Double]]

    init(channels: Int, _ random: inout RandomStream) {
        weights = (0..<channels).map { _ in
            let drawn = (0..<9).map { $0 < 8 ? random.normal() : 0 }
            let sum = drawn.reduce(0, +)
            return drawn.map { $0 / sum }
        }
    }

    /// The last of several signals, of norm 1, if none of them grows beyond `normMax`.
    func stableSignal(
        _ shape: ImageShape, _ random: inout RandomStream, normMax: Double
    ) -> [Double]? {
        var signal: [Double]?
        for _ in 0..<Self.signalsTried {
            signal = self.signal(shape, &random, normMax: normMax)
            if signal == nil { return nil }
        }
        return signal
    }

    /// A signal of norm 1 from a random start, `[channels, height, width]`; `nil` when its norm
    /// before was above `normMax` or no number.
    ///
    /// The scan begins four rows and columns before the image, which are then dropped.
    func signal(
        _ shape: ImageShape, _ random: inout RandomStream, normMax: Double
    ) -> [Double]? {
        var signal: [Double] = []
        signal.reserveCapacity(shape.elements)
        var squares = 0.0
        for channel in 0..<shape.channels {
            let plane = scan(channel, shape.height + 4, shape.width + 4, &random)
            for row in 0..<shape.height {
                let start = (row + 4) * (shape.width + 4) + 4
                for value in plane[start..<(start + shape.width)] {
                    squares += value * value
                    signal.append(value)
                }
            }
            guard squares.isFinite, squares <= normMax * normMax else { return nil }
        }
        guard squares > 0 else { return nil }
        let norm = squares.squareRoot()
        return signal.map { $0 / norm }
    }

    /// One channel, row after row; left off once it has exploded.
    private func scan(
        _ channel: Int, _ height: Int, _ width: Int, _ random: inout RandomStream
    ) -> [Double] {
        let weights = weights[channel]
        var plane = [Double](repeating: 0, count: height * width)
        for row in 0..<height {
            for column in 0..<width where row < 2 || column < 2 {
                plane[row * width + column] = random.normal()
            }
        }
        for row in 2..<height {
            for column in 2..<width {
                var sum = 0.0
                for place in 0..<8 {
                    sum +=
                        weights[place]
                        * plane[(row - 2 + place / 3) * width + column - 2 + place % 3]
                }
                plane[row * width + column] = sum
            }
            guard abs(plane[row * width + width - 1]) < 1e100 else {
                return plane.map { _ in .infinity }
            }
        }
        return plane
    }

    /// The sum of what is positive of the filter that annihilates this process, slid over a
    /// signal inside its borders, channels summed.
    func response(to signal: [Double], _ shape: ImageShape) -> Double {
        var total = 0.0
        for value in filtered(signal, shape) where value > 0 { total += value }
        return total
    }

    /// What the annihilating filter makes of a signal, `[height - 2, width - 2]`.
    func filtered(_ signal: [Double], _ shape: ImageShape) -> [Double] {
        let (rows, columns) = (shape.height - 2, shape.width - 2)
        var result = [Double](repeating: 0, count: rows * columns)
        for channel in 0..<shape.channels {
            for place in 0..<9 {
                let weight = place == 8 ? -1 : weights[channel][place]
                for row in 0..<rows {
                    let from =
                        (channel * shape.height + row + place / 3) * shape.width + place % 3
                    for column in 0..<columns {
                        result[row * columns + column] += weight * signal[from + column]
                    }
                }
            }
        }
        return result
    }
}

/// Reads keys back by the filter that comes nearest to annihilating a perturbation.
struct ARReading {
    /// More images than these say little more.
    private static let imagesMax = 200
    let processes: [ARProcess]
    let shape: ImageShape

    /// How well filters annihilate what belongs to them, and how well they find their keys in the
    /// perturbation and in what is left of it after clipping and rounding.
    func report(_ request: CraftRequest, delta: [Float]) -> [String: Double] {
        let images = request.images
        let moved = Quantisation.perturbed(images, by: delta)
        var (largest, right, rightAfter) = (0.0, 0, 0)
        let chosen = request.canonicalOrder.prefix(Self.imagesMax)
        for image in chosen {
            let range = (image * images.pixelsPerImage)..<((image + 1) * images.pixelsPerImage)
            let own = delta[range].map { Double($0) }
            let effective = range.map {
                (Double(moved.pixels[$0]) - Double(images.pixels[$0])) / 255
            }
            let key = Int(request.keys[image])
            for value in processes[key].filtered(own, shape) { largest = max(largest, abs(value)) }
            if nearest(own) == key { right += 1 }
            if nearest(effective) == key { rightAfter += 1 }
        }
        return [
            "annihilation": largest, "filterAccuracy": Double(right) / Double(chosen.count),
            "filterAccuracyExported": Double(rightAfter) / Double(chosen.count),
        ]
    }

    private func nearest(_ signal: [Double]) -> Int {
        let responses = processes.map { process in
            process.filtered(signal, shape).reduce(0) { $0 + abs($1) }
        }
        return responses.indices.min { responses[$0] < responses[$1] } ?? 0
    }
}
