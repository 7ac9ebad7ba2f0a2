/// Which images a probe learns from and is judged on: a seeded sample, of which each key gives a
/// fifth to the held-out part, and at least one image where it has two.
struct ProbeSplit {
    private(set) var train: [Int] = []
    private(set) var heldOut: [Int] = []
    private(set) var trainTargets: [Int] = []
    private(set) var heldOutTargets: [Int] = []
    let keyCount: Int
    let largestKeyShare: Double

    init(keys: [Int32], samplesMax: Int, seed: UInt64) {
        var random = RandomStream(seed: seed).derived("perturbation/probe")
        let sample = random.permutation(keys.count).prefix(samplesMax)
        let groups = Dictionary(grouping: sample) { keys[$0] }.sorted { $0.key < $1.key }
        keyCount = groups.count
        largestKeyShare =
            Double(groups.map(\.value.count).max() ?? 0) / Double(max(1, sample.count))
        for (target, group) in groups.enumerated() {
            let images = group.value
            let held = images.count < 2 ? 0 : max(1, images.count / 5)
            heldOut += images[..<held]
            train += images[held...]
            heldOutTargets += [Int](repeating: target, count: held)
            trainTargets += [Int](repeating: target, count: images.count - held)
        }
    }
}
