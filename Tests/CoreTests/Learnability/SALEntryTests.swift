import FathomCore
import Testing

@Suite("SAL entries")
struct SALEntryTests {
    private let counts = [6, 16, 120]
    private let random = RandomStream(seed: 7)

    private func entries(_ granularity: SALSettings.Granularity, filters: Int?) -> [SALEntry] {
        SALSettings(granularity: granularity, filters: filters)
            .entries(filterCounts: counts, random: random)
    }

    @Test("are the layers in order by default")
    func layers() {
        #expect(entries(.layer, filters: nil) == (0..<3).map { SALEntry(layer: $0) })
        #expect(SALSettings().entryCount(filterCounts: counts) == 3)
    }

    @Test("are every filter, or so many of each layer as were asked for", arguments: [nil, 1, 10])
    func filters(asked: Int?) {
        let found = entries(.filter, filters: asked)
        let settings = SALSettings(granularity: .filter, filters: asked)
        #expect(found.count == settings.entryCount(filterCounts: counts))
        for (layer, count) in counts.enumerated() {
            let chosen = found.filter { $0.layer == layer }.compactMap(\.filter)
            #expect(chosen.count == min(asked ?? count, count))
            #expect(chosen == Set(chosen).sorted())
            #expect(chosen.allSatisfy { (0..<count).contains($0) })
        }
    }

    @Test("are drawn alike from equal streams and otherwise from others")
    func sampling() {
        let settings = SALSettings(granularity: .filter, filters: 10)
        #expect(entries(.filter, filters: 10) == entries(.filter, filters: 10))
        let other = settings.entries(filterCounts: counts, random: RandomStream(seed: 8))
        #expect(other != entries(.filter, filters: 10))
    }
}
