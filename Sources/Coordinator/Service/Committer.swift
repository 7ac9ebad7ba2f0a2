import FathomMessaging
import FathomProtocol
import Logging
import Synchronization

/// What is made to last together, and what workers are told afterwards.
struct CommitBatch: Sendable {
    var changes: [StoreChange]
    var frames: [(peer: RoutingID, bytes: [UInt8])]
}

/// Makes batches last and then sends what was waiting for it, in their order.
///
/// Under load it works on a thread of its own, so that the next batch is read and decided on while
/// this one is on its way to the disk; on an idle system its owner calls `persist` and `send` itself,
/// which spares a change of threads.
final class Committer: Sendable {
    /// A transaction that has ended.
    struct Completed: Sendable {
        let changes: [StoreChange]
        let start: Instant
        let end: Instant
    }

    private let store: any ResultStore
    private let listener: Listener
    private let requests: Requests
    private let logger: Logger
    /// One batch at work and one behind it; more would only make workers wait longer.
    private let queue = BoundedQueue<CommitBatch>(capacity: 1)
    private let pending = Atomic(0)
    /// Something in it: a batch has ended since the last look.
    private let settled = BoundedQueue<Bool>(capacity: 1)
    private let waiting = Atomic(false)
    private let state = Mutex(State())
    private let thread = Mutex<NamedThread?>(nil)

    private struct State {
        var completed: [Completed] = []
        var failure: (any Error)?
    }

    init(store: any ResultStore, listener: Listener, requests: Requests, logger: Logger) {
        self.store = store
        self.listener = listener
        self.requests = requests
        self.logger = logger
    }

    /// Whether nothing is on its way.
    var isIdle: Bool { pending.load(ordering: .acquiring) == 0 }
    /// Whether the store takes nothing for now.
    var isStoreWaiting: Bool { waiting.load(ordering: .relaxed) }

    func takeCompleted() -> [Completed] { state.withLock { $0.completed.takeAll() } }

    /// Hands a batch to the thread.
    ///
    /// - Parameter meanwhile: Called again and again while there is no room.
    /// - Throws: Why an earlier batch could not be made to last.
    func submit(_ batch: CommitBatch, meanwhile: () -> Void) throws {
        try startThread()
        pending.add(1, ordering: .acquiringAndReleasing)
        while !queue.put(batch, within: .milliseconds(200)) {
            try throwFailure()
            meanwhile()
        }
    }

    /// Waits until nothing is on its way.
    func drain(meanwhile: () -> Void) throws {
        while !isIdle {
            try throwFailure()
            meanwhile()
            _ = settled.take(atMost: 1, within: .milliseconds(200))
        }
        try throwFailure()
    }

    /// Lets the thread end; what was handed to it is done before.
    func close() {
        queue.close()
        thread.withLock { $0 }?.join()
    }

    private func throwFailure() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func startThread() throws {
        try thread.withLock { thread in
            guard thread == nil else { return }
            thread = try NamedThread(name: "fathom-commit", stackBytes: 2 << 20) { [self] in
                work()
            }
        }
    }

    private func work() {
        while true {
            guard let batch = queue.take(atMost: 1, within: .seconds(3_600)).first else {
                if queue.isClosed { return }
                continue
            }
            do {
                try finish(batch)
            } catch {
                state.withLock { $0.failure = error }
                // What is behind it must not be made to last without it.
                return queue.close()
            }
            pending.subtract(1, ordering: .acquiringAndReleasing)
            settled.offer(true)
        }
    }

    /// Makes changes last at once, on the calling thread.
    ///
    /// - Returns: False when the store takes nothing for now: they are the thread's to wait with.
    func persist(_ changes: [StoreChange]) throws -> Bool {
        do throws(StoreError) {
            try apply(changes)
            return true
        } catch {
            guard error.isRetryable else { throw error }
            return false
        }
    }

    /// Tells workers what may be told now.
    func send(_ frames: [(peer: RoutingID, bytes: [UInt8])]) {
        for frame in frames { listener.send(frame.bytes, to: frame.peer) }
    }

    private func apply(_ changes: [StoreChange]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        let start = Instant.now()
        try store.apply(changes)
        let completed = Completed(changes: changes, start: start, end: .now())
        state.withLock { $0.completed.append(completed) }
    }

    /// While the disk is full nothing is acknowledged, and workers keep what they have.
    private func finish(_ batch: CommitBatch) throws {
        defer { waiting.store(false, ordering: .relaxed) }
        while true {
            do throws(StoreError) {
                try apply(batch.changes)
                send(batch.frames)
                if isStoreWaiting { logger.notice("the store takes results again") }
                return
            } catch {
                guard error.isRetryable, !requests.isStopAsked.load(ordering: .acquiring) else {
                    throw error
                }
                if !isStoreWaiting {
                    logger.error("waiting for the store", metadata: ["reason": "\(error)"])
                }
                waiting.store(true, ordering: .relaxed)
                requests.pause(seconds: 1)
            }
        }
    }
}
