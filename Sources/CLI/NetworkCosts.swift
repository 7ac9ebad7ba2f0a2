import FathomCore
import FathomProtocol

/// What networks compute, looked up once each.
final class NetworkCosts {
    private struct Network: Hashable {
        var model: ModelSettings
        var set: String
        var task: String
    }

    private let library = DataSetLibrary()
    private let dataFolder: String?
    private var known: [Network: Int?] = [:]

    init(dataFolder: String?) { self.dataFolder = dataFolder }

    /// Multiply-adds of a job's network on one image; `nil` for jobs without one.
    func multiplyAdds(of spec: JobSpec) -> Int? {
        switch spec.body {
        case .train(let train):
            multiplyAdds(
                Network(model: train.model, set: train.data.settings.set, task: train.task))
        case .sal(let sal):
            multiplyAdds(Network(model: sal.model, set: sal.data.settings.set, task: sal.task))
        case .landscape(let plane):
            multiplyAdds(Network(model: plane.model, set: plane.data.settings.set, task: plane.task))
        case .poison, .probe: nil
        }
    }

    private func multiplyAdds(_ network: Network) -> Int? {
        if let found = known[network] { return found }
        let found = workOut(network)
        known[network] = .some(found)
        return found
    }

    private func workOut(_ network: Network) -> Int? {
        guard let facts = try? library.facts(name: network.set, folder: dataFolder),
            let tasks = TaskSettings(text: network.task)
        else { return nil }
        let heads = tasks.heads(channels: facts.channels, classes: facts.classCount)
        return try? ModelRegistry.network(
            network.model, heads: heads, channels: facts.channels, height: facts.height,
            width: facts.width
        ).multiplyAddsPerImage
    }
}
