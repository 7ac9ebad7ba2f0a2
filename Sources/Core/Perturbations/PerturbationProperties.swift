/// The property suite: what every perturbation is held to, in tests and in every poison job.
///
/// P1 to P7 are checked here on any shape of image and any number of keys, which is P8.
public enum PerturbationProperties {
    /// Fewer held-out images than this say nothing about a probe's accuracy.
    public static let heldOutMin = 100

    /// Checks a poison against what its method promises.
    ///
    /// - Parameters:
    ///   - poison: What `PerturbationRegistry.craft` made of the other arguments.
    ///   - images: The clean images.
    ///   - keys: The keys that it was crafted with.
    ///   - settings: The method's settings; defaults may be left out.
    ///   - seed: The seed that it was crafted with.
    ///   - surrogate: The network that it was crafted with.
    ///   - targets: What the task that it was crafted with should say of the images.
    ///   - standardErrors: How far from guessing a probe may be where nothing can be read. Wide
    ///     by default, since every job of a sweep is checked and none may fail by chance.
    ///   - recrafts: Whether to craft again for P4 and P7; `nil`: unless that is costly.
    /// - Throws: `PropertyViolation`, naming the property; `MethodError` for refused settings.
    /// - Complexity: Crafts up to three times more.
    public static func check(
        _ poison: CraftedPoison, of images: ImageSet, keys: [Int32], settings: MethodSettings,
        seed: UInt64, surrogate: TrainingState? = nil, targets: TaskTargets? = nil,
        standardErrors: Double = 6, recrafts: Bool? = nil
    ) throws {
        let request = try PerturbationRegistry.request(
            settings, images: images, keys: keys, seed: seed, surrogate: surrogate,
            targets: targets)
        let suite = PropertySuite(
            poison: poison, request: request,
            method: try PerturbationRegistry.method(named: settings.name))
        try suite.checkRange()
        let chosen = try suite.chosen()
        if let chosen {
            try chosen.checkBudget()
            try chosen.checkKeys()
            try chosen.checkEffect()
            try chosen.checkProbe(standardErrors: standardErrors)
        }
        guard recrafts ?? !suite.traits.isCostly else { return }
        try suite.checkDeterminism(seeded: chosen != nil)
        try suite.checkPermutation()
    }
}

/// The properties of one poison.
struct PropertySuite {
    var poison: CraftedPoison
    var request: CraftRequest
    let method: any PerturbationMethod

    var clean: ImageSet { request.images }
    var size: Int { clean.pixelsPerImage }
    var traits: PerturbationTraits { method.traits(request.settings, shape: clean.shape) }

    func require(
        _ holds: Bool, _ property: PropertyViolation.Property, _ detail: @autoclosure () -> String
    ) throws(PropertyViolation) {
        guard !holds else { return }
        throw PropertyViolation(property: property, method: method.name, detail: detail())
    }

    /// P1: as many images of the same shape, labels untouched, and the images are `delta` put on
    /// the clean ones by the quantisation rule.
    func checkRange() throws(PropertyViolation) {
        let moved = poison.images
        try require(
            moved.shape == clean.shape && moved.pixels.count == clean.pixels.count
                && poison.delta.count == clean.pixels.count, .range,
            "\(moved.count) images of \(moved.shape) from \(clean.count) of \(clean.shape)")
        try require(
            moved.indices == clean.indices && moved.classCount == clean.classCount
                && moved.labels.count == clean.labels.count, .range, "indices have changed")
        try require(
            traits.changesLabels
                ? moved.labels.allSatisfy { (0..<Int32(clean.classCount)).contains($0) }
                : moved.labels == clean.labels, .range, "labels have changed")
        for index in poison.delta.indices {
            let delta = poison.delta[index]
            guard delta.isFinite,
                moved.pixels[index] == Quantisation.perturbed(clean.pixels[index], by: delta)
            else {
                return try require(
                    false, .range,
                    "pixel \(index) is \(moved.pixels[index]), \(clean.pixels[index]) clean, "
                        + "with a perturbation of \(delta)")
            }
        }
    }

    /// The images that are perturbed, by themselves; `nil` if there are none. The others are held
    /// to be untouched.
    func chosen() throws(PropertyViolation) -> PropertySuite? {
        let mask = PoisonMask(request)
        guard let selected = mask.selected else { return self }
        for image in selected.indices where !selected[image] {
            let isClean = poison.delta[(image * size)..<((image + 1) * size)].allSatisfy { $0 == 0 }
            try require(
                isClean && poison.images.labels[image] == clean.labels[image], .range,
                "image \(clean.indices[image]) is not among those to be perturbed, and is")
        }
        let positions = mask.positions(count: clean.count)
        guard !positions.isEmpty else { return nil }
        var part = self
        part.poison.images = poison.images.selecting(positions)
        part.poison.delta = poison.delta.selecting(positions, size: size)
        part.request.images = clean.selecting(positions)
        part.request.keys = positions.map { request.keys[$0] }
        return part
    }

    /// P6: what is touched moves by more than half a grey level on average.
    func checkEffect() throws(PropertyViolation) {
        var touched = 0
        var levels = 0
        for index in poison.delta.indices where poison.delta[index] != 0 {
            touched += 1
            levels += abs(Int(poison.images.pixels[index]) - Int(clean.pixels[index]))
        }
        if traits.budget == .none {
            return try require(touched == 0, .effect, "\(touched) pixels of clean images moved")
        }
        let mean = Double(levels) / Double(max(1, touched))
        try require(
            mean > 0.5, .effect,
            "touched pixels move by \(mean) grey levels on average; 0.5 would be visible to a "
                + "network, so raise the budget")
    }

    /// P4: the same seed gives the same, another seed something else.
    func checkDeterminism(seeded: Bool) throws {
        let again = try method.masked(request)
        try require(
            again.delta == poison.delta
                && again.labels ?? clean.labels == poison.images.labels, .determinism,
            "the same seed gave something else")
        guard seeded, let share = traits.seedShare else { return }
        var other = request
        other.seed &+= 1
        // Which images are chosen depends on the seed as well, so all of them are compared.
        let isWhole = PoisonMask(request).selected == nil
        let first = isWhole ? again.delta : try method.perturbation(request).delta
        let (touched, changed) = PropertySuite.differences(
            first, try method.perturbation(other).delta)
        try require(
            Double(changed) > share * Double(touched), .determinism,
            "another seed changed \(changed) of \(touched) touched numbers; "
                + "more than \(share) of them should change")
    }

    /// How many numbers are touched in either, and how many of these differ.
    private static func differences(_ left: [Float], _ right: [Float]) -> (Int, Int) {
        var touched = 0
        var changed = 0
        for index in left.indices where left[index] != 0 || right[index] != 0 {
            touched += 1
            if left[index] != right[index] { changed += 1 }
        }
        return (touched, changed)
    }

    /// P7: another order of images gives the same perturbations in that order.
    func checkPermutation() throws {
        var random = RandomStream(seed: request.seed).derived("perturbation/permutation")
        let order = random.permutation(clean.count)
        var shuffled = request
        shuffled.images = clean.selecting(order)
        shuffled.keys = order.map { request.keys[$0] }
        let perturbation = try method.masked(shuffled)
        let labels = perturbation.labels ?? shuffled.images.labels
        for (place, image) in order.enumerated() {
            try require(
                perturbation.delta[(place * size)..<((place + 1) * size)]
                    == poison.delta[(image * size)..<((image + 1) * size)]
                    && labels[place] == poison.images.labels[image],
                .permutation, "image \(clean.indices[image]) depends on the order of images")
        }
    }

    /// P5: a linear probe reads keys exactly where the method says that it can.
    func checkProbe(standardErrors: Double) throws(PropertyViolation) {
        guard traits.probe != .refused else {
            return try require(
                poison.words["probe"] != nil && poison.numbers["probeHeldOut"] == nil, .probe,
                "an all-zero perturbation must refuse a probe")
        }
        guard let accuracy = poison.numbers["probeHeldOut"],
            let count = poison.numbers["probeHeldOutCount"],
            let keys = poison.numbers["probeKeys"],
            let largest = poison.numbers["probeLargestKey"]
        else { return try require(false, .probe, "the report has no probe") }
        guard Int(count) >= PerturbationProperties.heldOutMin else { return }
        switch traits.probe {
        case .refused, .reported: return
        case .atLeast(let least):
            try require(
                accuracy >= least, .probe,
                "held-out accuracy is \(accuracy), below \(least)")
        case .chance:
            // Guessing lies between one key in all and the most frequent one.
            let error = standardErrors * (largest * (1 - largest) / count).squareRoot()
            try require(
                accuracy >= 1 / keys - error && accuracy <= largest + error, .probe,
                "held-out accuracy \(accuracy) of \(Int(count)) images is not that of guessing, "
                    + "1 in \(Int(keys))")
        }
    }
}
