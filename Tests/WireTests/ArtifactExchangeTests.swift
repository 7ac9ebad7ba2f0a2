import FathomCore
import FathomCoordinator
import FathomProtocol
import FathomWorker
import Foundation
import Testing

@Suite("Files between a coordinator and a worker")
struct ArtifactExchangeTests {
    private let megabyte = 1 << 20

    @Test(
        "arrive whole, both ways, whatever the wire loses, doubles and cuts",
        arguments: UInt64(0)..<12)
    func faults(seed: UInt64) throws {
        var exchange = try Exchange(seed: seed)
        exchange.faults = .init(loss: 0.1, doubling: 0.1, cut: 0.02)
        var fetched: [ArtifactReference] = []
        var brought: [ArtifactReference] = []
        for (index, size) in [0, 1, megabyte, 3 * megabyte + 17].enumerated() {
            let number = UInt64(index) + 100 * seed
            fetched.append(
                try exchange.desk.folder.keep(content(size, seed: 2 * number), name: "a"))
            brought.append(
                try exchange.cache.folder.keep(content(size, seed: 2 * number + 1), name: "b"))
        }
        for reference in fetched { exchange.send(.fetch(reference, isDoubted: false)) }
        for reference in brought { exchange.send(.bring(reference)) }
        try exchange.settle()
        for reference in fetched {
            #expect(exchange.cache.folder.isSound(reference.digest))
            #expect(exchange.told.contains(.ready(reference.digest)))
        }
        for reference in brought {
            #expect(exchange.desk.folder.isSound(reference.digest))
            #expect(exchange.told.contains(.brought(reference.digest)))
        }
        #expect(exchange.lost.isEmpty)
    }

    @Test("keep to their credit: no more bytes are on their way than the windows allow")
    func credit() throws {
        var exchange = try Exchange()
        let size = 9 * megabyte
        var references: [ArtifactReference] = []
        for seed in 0..<3 {
            references.append(
                try exchange.desk.folder.keep(content(size, seed: UInt64(seed)), name: "a"))
        }
        let own = try exchange.cache.folder.keep(content(size, seed: 9), name: "b")
        for reference in references { exchange.send(.fetch(reference, isDoubted: false)) }
        exchange.send(.bring(own))
        try exchange.settle()
        let allowed = 4 * (ArtifactLimits.windowBytes + 16 * 1_024)
        #expect(exchange.bytesInFlightMax > megabyte)
        #expect(exchange.bytesInFlightMax <= allowed, "\(exchange.bytesInFlightMax)")
        #expect(exchange.desk.tally.bytesGiven == 3 * size, "each byte travels once")
        #expect(exchange.desk.tally.bytesTaken == size)
    }

    @Test("go on where they were when worker and coordinator begin anew")
    func resumed() throws {
        var exchange = try Exchange()
        let size = 12 * megabyte
        let theirs = try exchange.desk.folder.keep(content(size, seed: 1), name: "a")
        let ours = try exchange.cache.folder.keep(content(size, seed: 2), name: "b")
        for _ in 0..<3 {
            exchange.send(.fetch(theirs, isDoubted: false))
            exchange.send(.bring(ours))
            for _ in 0..<25 { try exchange.step() }
            exchange.restart(worker: true, coordinator: true)
        }
        exchange.send(.fetch(theirs, isDoubted: false))
        exchange.send(.bring(ours))
        let before = exchange.transfers.tally
        try exchange.settle()
        #expect(exchange.cache.folder.isSound(theirs.digest))
        #expect(exchange.desk.folder.isSound(ours.digest))
        let last = exchange.transfers.tally
        #expect(last.bytesFetched - before.bytesFetched < size / 2)
        #expect(last.bytesBrought - before.bytesBrought < size / 2)
    }

    @Test("that are there already do not travel")
    func nothingTwice() throws {
        var exchange = try Exchange()
        let theirs = try exchange.desk.folder.keep(content(megabyte, seed: 1), name: "a")
        for _ in 0..<3 {
            exchange.send(.fetch(theirs, isDoubted: false))
            exchange.send(.bring(theirs))
            try exchange.settle()
        }
        #expect(exchange.desk.tally.bytesGiven == megabyte)
        #expect(exchange.desk.tally.bytesTaken == 0)
    }

    @Test("damaged on the coordinator's disk are found, set aside and reported")
    func flippedThere() throws {
        var exchange = try Exchange()
        let theirs = try exchange.desk.folder.keep(content(2 * megabyte, seed: 1), name: "a")
        try exchange.desk.folder.flip(theirs.digest, at: megabyte + 5)
        exchange.send(.fetch(theirs, isDoubted: false))
        try exchange.settle()
        #expect(exchange.told == [.gone(theirs.digest)])
        #expect(exchange.lost == [theirs.digest])
        #expect(exchange.desk.folder.size(of: theirs.digest) == nil)
        #expect(exchange.place.files.contains("desk/damaged/\(theirs.digest.hex)"))
        #expect(exchange.cache.folder.size(of: theirs.digest) == nil)
        // Made again, it is fetched.
        _ = try exchange.desk.folder.keep(content(2 * megabyte, seed: 1), name: "a")
        exchange.send(.fetch(theirs, isDoubted: false))
        try exchange.settle()
        #expect(exchange.cache.folder.isSound(theirs.digest))
    }

    @Test("damaged on the coordinator's disk give way to a worker's that are not")
    func mendedByOffer() throws {
        var exchange = try Exchange()
        let file = try exchange.desk.folder.keep(content(megabyte, seed: 1), name: "a")
        _ = try exchange.cache.folder.keep(content(megabyte, seed: 1), name: "a")
        try exchange.desk.folder.flip(file.digest, at: 9)
        exchange.send(.bring(file))
        try exchange.settle()
        #expect(exchange.told == [.brought(file.digest)])
        #expect(exchange.desk.folder.isSound(file.digest))
        #expect(exchange.desk.tally.bytesTaken == megabyte)
    }

    @Test("cut short on the coordinator's disk are found too")
    func truncatedThere() throws {
        var exchange = try Exchange()
        let theirs = try exchange.desk.folder.keep(content(megabyte, seed: 1), name: "a")
        truncate(exchange.desk.folder.file(theirs.digest), 1_000)
        exchange.send(.fetch(theirs, isDoubted: false))
        try exchange.settle()
        #expect(exchange.told == [.gone(theirs.digest)])
        #expect(exchange.lost == [theirs.digest])
    }

    @Test("damaged in the worker's cache are fetched again")
    func flippedHere() throws {
        var exchange = try Exchange()
        let theirs = try exchange.desk.folder.keep(content(megabyte, seed: 1), name: "a")
        exchange.send(.fetch(theirs, isDoubted: false))
        try exchange.settle()
        try exchange.cache.folder.flip(theirs.digest, at: 77)
        exchange.send(.fetch(theirs, isDoubted: true))
        try exchange.settle()
        #expect(exchange.cache.folder.isSound(theirs.digest))
        #expect(exchange.transfers.tally.filesDamaged == 1)
        #expect(exchange.desk.tally.bytesGiven == 2 * megabyte)
        // A second slot that met the same damage costs nothing more.
        exchange.send(.fetch(theirs, isDoubted: true))
        try exchange.settle()
        #expect(exchange.desk.tally.bytesGiven == 2 * megabyte)
    }

    @Test("damaged before they could be brought are given up, and so are their results")
    func flippedResult() throws {
        var exchange = try Exchange()
        let ours = try exchange.cache.folder.keep(content(megabyte, seed: 1), name: "b")
        try exchange.cache.folder.flip(ours.digest, at: 3)
        exchange.send(.bring(ours))
        try exchange.settle()
        guard case .lost(ours.digest, _)? = exchange.told.last else {
            Issue.record("\(exchange.told)")
            return
        }
        #expect(exchange.desk.folder.size(of: ours.digest) == nil)
        #expect(exchange.desk.tally.filesDamaged == 1)
    }

    @Test("that nobody has are gone, at once")
    func missing() throws {
        var exchange = try Exchange()
        let nobodys = ArtifactReference(name: "a", digest: Digest(of: [1]), bytes: 9)
        exchange.send(.fetch(nobodys, isDoubted: false))
        try exchange.settle()
        #expect(exchange.told == [.gone(nobodys.digest)])
        #expect(exchange.lost == [nobodys.digest])
    }

    @Test("in a shared folder are looked at by the coordinator when they are doubted")
    func shared() throws {
        var exchange = try Exchange()
        let folder = exchange.desk.folder
        exchange.transfers = ArtifactTransfers(access: .shared(folder))
        let file = try folder.keep(content(megabyte, seed: 1), name: "a")
        exchange.send(.fetch(file, isDoubted: false))
        exchange.send(.bring(file))
        #expect(exchange.told == [.ready(file.digest), .brought(file.digest)])
        exchange.send(.fetch(file, isDoubted: true))
        try exchange.settle()
        #expect(exchange.told.last == .ready(file.digest))
        // A look at a sound file holds for ten seconds.
        for _ in 0..<11 { try exchange.step() }
        try folder.flip(file.digest, at: 10)
        exchange.send(.fetch(file, isDoubted: true))
        try exchange.settle()
        #expect(exchange.told.last == .gone(file.digest))
        #expect(exchange.lost == [file.digest])
        #expect(exchange.desk.tally.bytesGiven == 0)
    }

    @Test("longer than a file may be are refused for good")
    func tooLarge() throws {
        var exchange = try Exchange()
        let answer = exchange.desk.answer(
            .offer(Digest(of: [1]), total: ArtifactLimits.fileBytes + 1), at: exchange.now)
        #expect(answer == .refused(Digest(of: [1]), .tooLarge))
    }

    @Test("on their way are at most so many at a time")
    func busy() throws {
        var exchange = try Exchange()
        let answers = (0..<300).map { number in
            exchange.desk.answer(
                .offer(Digest(of: Array("\(number)".utf8)), total: 10), at: exchange.now)
        }
        let refused = answers.count { if case .refused(_, .busy) = $0 { true } else { false } }
        #expect(refused == 300 - ArtifactLimits.incomingFiles)
        // Those that stand still make room.
        let later = exchange.desk.answer(
            .offer(Digest(of: Array("late".utf8)), total: 10), at: exchange.now + 100)
        #expect(later == .want(Digest(of: Array("late".utf8)), offset: 0, credit: 4 << 20))
    }
}
