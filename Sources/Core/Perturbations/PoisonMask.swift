/// Which images a perturbation is put on: a share of each class, or the images of some classes.
///
/// The perturbation is crafted on all images, as the released code of error-minimising noise
/// does, and then taken away from the others; an image that two fractions share has the same
/// perturbation in both.
struct PoisonMask {
    /// One for every image; `nil` where all are poisoned.
    let selected: [Bool]?

    init(_ request: CraftRequest) {
        let fraction = request.settings.numbers["fraction"]
        let classes = request.settings.words["classes"].flatMap { ClassList($0) }
        guard fraction != nil || classes != nil else {
            selected = nil
            return
        }
        var chosen = PoisonMask.share(fraction ?? 1, request)
        if let classes {
            let wanted = Set(classes.classes)
            for (image, label) in request.images.labels.enumerated() where !wanted.contains(label) {
                chosen[image] = false
            }
        }
        selected = chosen
    }

    /// The images of each class that come first in an order drawn for their indices.
    private static func share(_ fraction: Double, _ request: CraftRequest) -> [Bool] {
        let images = request.images
        var selected = [Bool](repeating: false, count: images.count)
        for (_, members) in Dictionary(grouping: 0..<images.count, by: { images.labels[$0] }) {
            let ordered = members.map { image in
                var random = RandomStream(seed: request.seed)
                    .derived("perturbation/fraction", images.indices[image])
                return (random.nextBits(), images.indices[image], image)
            }.sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }
            let count = Int((fraction * Double(members.count)).rounded())
            for (_, _, image) in ordered.prefix(count) { selected[image] = true }
        }
        return selected
    }

    /// Takes away what is on images that are not selected.
    func applied(to perturbation: Perturbation, of images: ImageSet) -> Perturbation {
        guard let selected else { return perturbation }
        var masked = perturbation
        let size = images.pixelsPerImage
        for (image, isSelected) in selected.enumerated() where !isSelected {
            for at in (image * size)..<((image + 1) * size) { masked.delta[at] = 0 }
            masked.labels?[image] = images.labels[image]
        }
        masked.numbers["poisonedImages"] = Double(selected.count { $0 })
        return masked
    }

    /// The positions of the selected images; all of them without a mask.
    func positions(count: Int) -> [Int] {
        guard let selected else { return Array(0..<count) }
        return selected.indices.filter { selected[$0] }
    }
}
