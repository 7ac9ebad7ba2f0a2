import FathomCore
import Testing

/// Poisons of one seed, by the digest of their pixels and labels. A change here is a change of
/// results: raise the method's revision together with the digest.
@Suite("poisons are what they were")
struct PoisonGoldenTests {
    private static let digests = [
        "clean": "7b28feec4887", "rand-s": "e67def03f002", "rand-c": "bcf99899bbb7",
        "lsp": "3499d79a30d7", "ops": "00be3a5dc58a",
    ]

    @Test(
        "equal settings give equal images", arguments: digests.keys.sorted())
    func digestsAgree(name: String) throws {
        var bytes: [UInt8] = []
        for shape in [PoisonFixtures.grey, PoisonFixtures.colour] {
            let images = PoisonFixtures.images(shape, count: 40, classes: 8)
            let poison = try PerturbationRegistry.craft(
                MethodSettings(name: name), images: images, keys: images.labels, seed: 11)
            bytes += poison.images.pixels + poison.images.labels.map { UInt8($0) }
        }
        #expect(Digest(of: bytes).short == Self.digests[name])
    }
}
