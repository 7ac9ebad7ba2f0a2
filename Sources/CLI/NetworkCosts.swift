import FathomCore
import FathomProtocol

/// What networks compute and hold, looked up once each.
final class NetworkCosts {
    private struct Network: Hashable {
        var model: ModelSettings
        var set: String
        var task: String
    }

    private let library = DataSetLibrary(cache: WorkFolder.decodedSets)
    private let dataFolder: String?
    private var known: [Network: (multiplyAdds: Int, parameters: Int)?] = [:]
    private var sets: [String: DataFacts?] = [:]

    init(dataFolder: String?) { self.dataFolder = dataFolder }

    /// Multiply-adds of a job's network on one image; `nil` for jobs without one.
    func multiplyAdds(of spec: JobSpec) -> Int? { look(at: spec)?.multiplyAdds }

    /// How many training images a job's run has; 0 for jobs without any, `nil` where that cannot be
    /// known because its data set is not here.
    func trainImages(of spec: JobSpec) -> Int? {
        guard let data = spec.data?.settings else { return 0 }
        return data.train > 0 ? data.train : facts(of: data.set)?.trainCount
    }

    /// How much an entry of a job computes, in forward passes of its network.
    func forwardPasses(of spec: JobSpec) -> Double {
        spec.forwardPassesPerEntry(trainImages: trainImages(of: spec) ?? 0)
    }

    private func facts(of set: String) -> DataFacts? {
        if let found = sets[set] { return found }
        let found = try? library.facts(name: set, folder: dataFolder)
        sets[set] = .some(found)
        return found
    }

    /// About what a job leaves for others to read: a perturbed image set, or a network's weights
    /// with the optimizer's state beside them.
    func artifactBytes(of spec: JobSpec) -> Int {
        switch spec.body {
        case .poison: (trainImages(of: spec) ?? 0) * 3_072
        case .train: (look(at: spec)?.parameters ?? 0) * 8
        case .sal, .landscape, .probe: 0
        }
    }

    private func look(at spec: JobSpec) -> (multiplyAdds: Int, parameters: Int)? {
        switch spec.body {
        case .train(let train):
            look(at: Network(model: train.model, set: train.data.settings.set, task: train.task))
        case .sal(let sal):
            look(at: Network(model: sal.model, set: sal.data.settings.set, task: sal.task))
        case .landscape(let plane):
            look(at: Network(model: plane.model, set: plane.data.settings.set, task: plane.task))
        case .poison, .probe: nil
        }
    }

    private func look(at network: Network) -> (multiplyAdds: Int, parameters: Int)? {
        if let found = known[network] { return found }
        let found = workOut(network)
        known[network] = .some(found)
        return found
    }

    private func workOut(_ network: Network) -> (multiplyAdds: Int, parameters: Int)? {
        guard let facts = facts(of: network.set),
            let tasks = TaskSettings(text: network.task)
        else { return nil }
        let heads = tasks.heads(channels: facts.channels, classes: facts.classCount)
        let found = try? ModelRegistry.network(
            network.model, heads: heads, channels: facts.channels, height: facts.height,
            width: facts.width)
        return found.map { ($0.multiplyAddsPerImage, $0.parameterCount) }
    }
}
