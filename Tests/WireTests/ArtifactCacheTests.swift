import FathomCore
import FathomProtocol
import FathomWorker
import Foundation
import Testing

@Suite("A worker's cache of files")
struct ArtifactCacheTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func file(_ number: Int, in cache: ArtifactCache) throws -> ArtifactReference {
        let reference = try cache.folder.keep(content(1_000, seed: UInt64(number)), name: "a")
        cache.note(reference.digest, bytes: reference.bytes)
        return reference
    }

    @Test("drops what was used least recently, and nothing that is in use")
    func leastRecent() throws {
        let cache = try ArtifactCache(work: scratch.path, bytesMax: 3_000)
        let files = try (0..<3).map { try file($0, in: cache) }
        cache.pin([files[0].digest])
        #expect(cache.holds(files[1]))
        cache.makeRoom(for: 1_000)
        #expect(files.map { cache.folder.holds($0) } == [true, true, false])
        cache.makeRoom(for: 3_000)
        #expect(files.map { cache.folder.holds($0) } == [true, false, false])
        cache.unpin([files[0].digest])
        cache.makeRoom(for: 3_000)
        #expect(cache.bytes == 0)
        #expect(cache.evicted == 3)
    }

    @Test("is found again by the next worker, and is never shared by two")
    func claimed() throws {
        var cache: ArtifactCache? = try ArtifactCache(work: scratch.path, bytesMax: 10_000)
        let reference = try file(1, in: #require(cache))
        let other = try ArtifactCache(work: scratch.path, bytesMax: 10_000)
        #expect(other.folder.path != cache?.folder.path)
        #expect(!other.holds(reference))
        // What a worker before it has made is taken over, checked.
        #expect(other.adopt(reference))
        cache = nil
        let next = try ArtifactCache(work: scratch.path, bytesMax: 10_000)
        #expect(next.folder.path == scratch.path + "/cache-0")
        #expect(next.bytes == 1_000)
        #expect(next.holds(reference))
    }

    @Test("takes over no file that is damaged")
    func adoptsSound() throws {
        let one = try ArtifactCache(work: scratch.path, bytesMax: 10_000)
        let other = try ArtifactCache(work: scratch.path, bytesMax: 10_000)
        let reference = try file(1, in: one)
        try one.folder.flip(reference.digest, at: 3)
        #expect(!other.adopt(reference))
    }

    @Test("writes a rotten file anew when its content is kept again")
    func keptAgain() throws {
        let folder = ArtifactFolder(path: scratch.path + "/a")
        let reference = try folder.keep(content(1_000, seed: 1), name: "a")
        try folder.flip(reference.digest, at: 3)
        #expect(!folder.isSound(reference.digest))
        _ = try folder.keep(content(1_000, seed: 1), name: "a")
        #expect(folder.isSound(reference.digest))
    }
}
