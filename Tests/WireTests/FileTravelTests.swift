import FathomCore
import FathomCoordinator
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging
import Synchronization
import Testing

/// Files over real sockets, with encryption.
@Suite("Files over the wire", .serialized, .timeLimit(.minutes(10)))
struct FileTravelTests {
    private static let isSlow = ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"
    private let scratch: Scratch
    private let folder: ArtifactFolder
    private let serverKeys: CurveKeyPair
    private let workerKeys: CurveKeyPair
    private let service: ArtifactService

    init() throws {
        scratch = try Scratch()
        folder = ArtifactFolder(path: scratch.path + "/desk")
        serverKeys = try CurveKeyPair.generate()
        workerKeys = try CurveKeyPair.generate()
        let listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: serverKeys,
            allowList: [workerKeys.publicKey], limits: ArtifactService.limits)
        service = try ArtifactService(
            folder: folder, listener: listener, logger: Logger(label: "test"), lost: { _ in })
    }

    /// A worker whose transfers are told of.
    private final class Worker {
        let cache: ArtifactCache
        let client: ArtifactClient
        private let bell: BoundedQueue<Bool>
        private var told: [TransferEffect] = []

        init(_ test: FileTravelTests, number: Int) throws {
            let work = test.scratch.path + "/work-\(number)"
            cache = try ArtifactCache(work: work, bytesMax: 4 << 30)
            let (server, keys) = (test.serverKeys.publicKey, test.workerKeys)
            let bell = BoundedQueue<Bool>(capacity: 1_024)
            self.bell = bell
            client = try ArtifactClient(
                access: .cached(cache),
                connect: { endpoint in
                    try Connection(
                        endpoint: endpoint, serverKey: server, keyPair: keys,
                        routingID: RoutingID("worker-\(number)"), limits: ArtifactClient.limits)
                }, notify: { bell.offer(true) })
            client.use(endpoint: test.service.listener.endpoint)
        }

        /// Waits until it is told of something.
        func wait(for effect: TransferEffect, seconds: Double) -> Bool {
            let deadline = ContinuousClock.now + .seconds(seconds)
            while !told.contains(effect), ContinuousClock.now < deadline {
                _ = bell.take(atMost: 1_024, within: .milliseconds(100))
                told += client.takeReports()
            }
            return told.contains(effect)
        }
    }

    @Test("go to each worker once, and a second time not at all")
    func onceEach() throws {
        let workerCount = Self.isSlow ? 8 : 3
        let bytes = Self.isSlow ? 1 << 30 : 24 << 20
        let reference = try folder.keep(content(bytes, seed: 1), name: "checkpoint")
        let start = ContinuousClock.now
        for run in 1...2 {
            let workers = try (0..<workerCount).map { try Worker(self, number: $0) }
            for worker in workers { worker.client.handle(.fetch(reference, isDoubted: false)) }
            for worker in workers {
                #expect(worker.wait(for: .ready(reference.digest), seconds: 400))
                #expect(worker.client.tally.filesFetched == (run == 1 ? 1 : 0))
            }
            if run == 1 {
                for worker in workers { #expect(worker.cache.folder.isSound(reference.digest)) }
            }
            for worker in workers { worker.client.close() }
            #expect(eventually { service.tally.bytesGiven == workerCount * bytes })
            if run == 1, Self.isSlow { report(ContinuousClock.now - start, workerCount * bytes) }
        }
        service.close()
    }

    private func report(_ duration: Duration, _ bytes: Int) {
        let seconds = duration / .seconds(1)
        print(
            "moved \(bytes >> 20) MiB in \(seconds) s, \(Int(Double(bytes >> 20) / seconds)) MiB/s")
    }

    @Test("come from several workers at once, whole")
    func brought() throws {
        let workers = try (0..<3).map { try Worker(self, number: $0) }
        let files = try workers.enumerated().map { index, worker in
            try worker.cache.folder.keep(content(5 << 20 | 3, seed: UInt64(index)), name: "b")
        }
        for (worker, file) in zip(workers, files) { worker.client.handle(.bring(file)) }
        // All bring the first one's too, which is the same file.
        for worker in workers.dropFirst() {
            _ = try worker.cache.folder.adopt(files[0].digest, from: workers[0].cache.folder)
            worker.client.handle(.bring(files[0]))
        }
        for (worker, file) in zip(workers, files) {
            #expect(worker.wait(for: .brought(file.digest), seconds: 60))
            #expect(worker.wait(for: .brought(files[0].digest), seconds: 60))
            #expect(folder.isSound(file.digest))
        }
        for worker in workers { worker.client.close() }
        service.close()
    }

    @Test("go on when the coordinator's port is closed and opened again")
    func reconnected() throws {
        let bytes = 48 << 20
        let reference = try folder.keep(content(bytes, seed: 1), name: "checkpoint")
        let worker = try Worker(self, number: 0)
        worker.client.handle(.fetch(reference, isDoubted: false))
        #expect(eventually { service.tally.bytesGiven > bytes / 4 })
        let endpoint = service.listener.endpoint
        service.close()
        let before = service.tally.bytesGiven
        #expect(before < bytes)
        let listener = try Listener(
            endpoint: endpoint, keyPair: serverKeys, allowList: [workerKeys.publicKey],
            limits: ArtifactService.limits)
        let next = try ArtifactService(
            folder: folder, listener: listener, logger: Logger(label: "test"), lost: { _ in })
        #expect(worker.wait(for: .ready(reference.digest), seconds: 60))
        #expect(worker.cache.folder.isSound(reference.digest))
        // What was in flight when the port was closed travels twice, and no more.
        #expect(before + next.tally.bytesGiven <= bytes + 2 * ArtifactLimits.windowBytes)
        worker.client.close()
        next.close()
    }
}

/// Waits, looking again every few milliseconds, until a condition holds; false after a minute.
func eventually(_ condition: () -> Bool) -> Bool {
    let pause = BoundedQueue<Int>(capacity: 1)
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        _ = pause.take(atMost: 1, within: .milliseconds(2))
    }
    return condition()
}
