/// Applies a perturbation and says what it turned out to be.
struct PoisonReporter {
    let method: any PerturbationMethod
    let request: CraftRequest

    func poison(from perturbation: Perturbation) throws(MethodError) -> CraftedPoison {
        var images = Quantisation.perturbed(request.images, by: perturbation.delta)
        if let labels = perturbation.labels { images.labels = labels }
        var poison = CraftedPoison(
            images: images, delta: perturbation.delta, numbers: perturbation.numbers,
            words: perturbation.words)
        addSizes(to: &poison)
        addProbe(to: &poison, positions: PoisonMask(request).positions(count: images.count))
        for word in ["tier", "surrogate", "craftTask"] {
            poison.words[word] = request.settings.words[word]
        }
        let similarity = StructuralSimilarity(window: 8, stride: 4)
        poison.numbers["ssim"] = similarity.mean(request.images, images)
        poison.words["ssimVariant"] = similarity.variant
        return poison
    }

    /// How far images really moved, after clipping and rounding.
    private func addSizes(to poison: inout CraftedPoison) {
        let clean = request.images
        var largest = 0
        var norms: [Double] = []
        var changedPositions = 0
        var clipped = 0
        for image in 0..<clean.count {
            let size = clean.pixelsPerImage
            var squares = 0
            var changed = [Bool](repeating: false, count: clean.shape.positions)
            for element in 0..<size {
                let at = image * size + element
                let moved = Int(poison.images.pixels[at]) - Int(clean.pixels[at])
                largest = max(largest, abs(moved))
                squares += moved * moved
                if moved != 0 { changed[element % clean.shape.positions] = true }
                let wanted = Double(clean.pixels[at]) + 255 * Double(poison.delta[at])
                // Float rounding of a pixel set to a corner colour is not clipping.
                if wanted < -0.001 || wanted > 255.001 { clipped += 1 }
            }
            norms.append(Double(squares).squareRoot() / 255)
            for flag in changed where flag { changedPositions += 1 }
        }
        poison.numbers["linf"] = Double(largest) / 255
        poison.numbers["l2Mean"] = norms.reduce(0, +) / Double(norms.count)
        poison.numbers["l2Max"] = norms.max() ?? 0
        poison.numbers["changedPixels"] = Double(changedPositions) / Double(clean.count)
        poison.numbers["clippedShare"] = Double(clipped) / Double(clean.pixels.count)
    }

    /// Probes the images that were perturbed, which a mask may leave few of.
    private func addProbe(to poison: inout CraftedPoison, positions: [Int]) {
        guard !positions.isEmpty else {
            poison.words["probe"] = "no linear probe can be trained: no image is perturbed"
            return
        }
        let delta =
            positions.count == request.keys.count
            ? poison.delta
            : poison.delta.selecting(positions, size: request.images.pixelsPerImage)
        do throws(MethodError) {
            let result = try LinearProbe().run(
                on: delta, keys: positions.map { request.keys[$0] }, seed: request.seed)
            poison.numbers["probeTrain"] = result.train
            poison.numbers["probeHeldOut"] = result.heldOut
            poison.numbers["probeHeldOutCount"] = Double(result.heldOutCount)
            poison.numbers["probeKeys"] = Double(result.keyCount)
            poison.numbers["probeLargestKey"] = result.largestKeyShare
        } catch {
            poison.words["probe"] = error.description
        }
    }
}

extension [Float] {
    /// The items at `positions`, of `size` numbers each.
    func selecting(_ positions: [Int], size: Int) -> [Float] {
        var chosen: [Float] = []
        chosen.reserveCapacity(positions.count * size)
        for position in positions { chosen += self[(position * size)..<((position + 1) * size)] }
        return chosen
    }
}
