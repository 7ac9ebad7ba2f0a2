/// Wrong labels on clean images: a graded loss of signal without any shortcut in the pixels.
///
/// `label-noise` gives a share of each class another label, drawn evenly from the other classes;
/// `random-labels` draws every label from all classes.
struct LabelMethod: PerturbationMethod {
    enum Kind: Sendable { case noise, random }
    let kind: Kind
    let revision = 1

    var name: String { kind == .noise ? "label-noise" : "random-labels" }

    var summary: String {
        kind == .noise
            ? "clean images, a share of them with a wrong label"
            : "clean images, every label drawn at random"
    }

    var parameters: [MethodParameter] {
        guard kind == .noise else { return [] }
        return [
            MethodParameter(
                name: "rate", kind: .number(default: 0.5, range: 0...1, whole: false),
                meaning: "the share of each class's images that gets a wrong label")
        ]
    }

    func traits(_ settings: MethodSettings, shape: ImageShape) -> PerturbationTraits {
        var traits = PerturbationTraits.identity
        traits.changesLabels = true
        return traits
    }

    func perturbation(_ request: CraftRequest) throws(MethodError) -> Perturbation {
        let images = request.images
        guard images.classCount > 1 else {
            throw .unsuited(method: name, reason: "one class has no other label to give")
        }
        let labels =
            switch kind {
            case .noise: noisy(request)
            case .random:
                images.indices.map { index in
                    var random = request.stream("label", index)
                    return Int32(random.integer(below: images.classCount))
                }
            }
        let changed = zip(labels, images.labels).count { $0 != $1 }
        return Perturbation(
            delta: [Float](repeating: 0, count: images.pixels.count), labels: labels,
            numbers: ["changedLabels": Double(changed) / Double(images.count)])
    }

    /// Of each class, those that come first in an order drawn for their indices are changed.
    private func noisy(_ request: CraftRequest) -> [Int32] {
        let images = request.images
        let rate = request.number("rate")
        var labels = images.labels
        for (label, members) in Dictionary(grouping: 0..<images.count, by: { images.labels[$0] }) {
            let ordered = members.map { image in
                var random = request.stream("order", images.indices[image])
                return (random.nextBits(), images.indices[image], image)
            }.sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }
            let count = Int((rate * Double(members.count)).rounded())
            for (_, index, image) in ordered.prefix(count) {
                var random = request.stream("label", index)
                let other = Int32(random.integer(below: images.classCount - 1))
                labels[image] = other < label ? other : other + 1
            }
        }
        return labels
    }
}
