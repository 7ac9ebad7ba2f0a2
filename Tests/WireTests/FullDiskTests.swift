import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation
import Testing

/// A small disk of its own, as a mounted tmpfs.
private final class SmallDisk {
    let path: String

    static let isPossible: Bool = {
        guard geteuid() == 0, let scratch = try? Scratch(), let disk = try? SmallDisk(scratch)
        else { return false }
        return withExtendedLifetime(disk) { true }
    }()

    init(_ scratch: Scratch) throws {
        path = scratch.path + "/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run("/bin/mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path)
    }

    deinit { try? Self.run("/bin/umount", "-l", path) }

    /// Leaves no room, until the answer is removed.
    func fill() throws -> String {
        let file = path + "/filler"
        let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 7, count: 64 << 10)
        while write(descriptor, block, block.count) > 0 {}
        return file
    }

    private static func run(_ words: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.featureUnsupported) }
    }
}

@Suite(
    "Files on a full disk",
    .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
struct FullDiskTests {
    @Test("at the coordinator wait at the worker until there is room")
    func atTheCoordinator() throws {
        let scratch = try Scratch()
        let disk = try SmallDisk(scratch)
        var exchange = try Exchange(deskFolder: disk.path + "/desk")
        let ours = try exchange.cache.folder.keep(content(2 << 20, seed: 1), name: "b")
        exchange.send(.bring(ours))
        for _ in 0..<3 { try exchange.step() }
        let filler = try disk.fill()
        for _ in 0..<200 { try exchange.step() }
        #expect(!exchange.transfers.isIdle)
        #expect(exchange.told.isEmpty)
        unlink(filler)
        try exchange.settle()
        #expect(exchange.told == [.brought(ours.digest)])
        #expect(exchange.desk.folder.isSound(ours.digest))
        withExtendedLifetime(disk) {}
    }

    @Test("at a worker make room by dropping copies, and wait where that does not do")
    func atTheWorker() throws {
        let scratch = try Scratch()
        let disk = try SmallDisk(scratch)
        var exchange = try Exchange()
        let cache = try ArtifactCache(work: disk.path + "/work", bytesMax: 1 << 30)
        exchange.transfers = ArtifactTransfers(access: .cached(cache))
        let old = try cache.folder.keep(content(1 << 20, seed: 1), name: "old")
        cache.note(old.digest, bytes: old.bytes)
        let theirs = try exchange.desk.folder.keep(content(3 << 20 | 99, seed: 2), name: "a")
        exchange.send(.fetch(theirs, isDoubted: false))
        try exchange.settle()
        #expect(cache.folder.isSound(theirs.digest))
        #expect(!cache.folder.holds(old))
        cache.pin([theirs.digest])
        let more = try exchange.desk.folder.keep(content(3 << 20, seed: 3), name: "a")
        exchange.send(.fetch(more, isDoubted: false))
        for _ in 0..<200 { try exchange.step() }
        #expect(!exchange.transfers.isIdle)
        #expect(cache.folder.isSound(theirs.digest))
        cache.unpin([theirs.digest])
        try exchange.settle()
        #expect(cache.folder.isSound(more.digest))
        withExtendedLifetime(disk) {}
    }
}
