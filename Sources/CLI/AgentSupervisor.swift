import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Logging
import Synchronization

/// What the agent of a local run is told, as one line of JSON on its standard input, which then
/// stays open for as long as the run lives. Keys travel nowhere else.
struct AgentHandoff: Codable, Sendable {
    var endpoint: String
    var serverKey: String
    var secretKey: String
    var worker: String
    var slots: Int
    var artifacts: String
    var spoolFolder: String
    var dataFolder: String?
    var runners = RunnerSetup()
    var offers: [RunnerOffer] = []
    var verbose = false

    /// Starts an agent and tells it all this.
    func start() throws -> ChildProcess {
        let line = try JSONEncoder().encode(self) + Data([10])
        let child = try ChildProcess.spawn(try Program.path(), ["agent"], sharesOutput: true)
        FileHandle(fileDescriptor: child.input, closeOnDealloc: false).write(line)
        return child
    }
}

/// Counts from any thread.
final class Counter: Sendable {
    private let value = Atomic(0)

    /// Counts one more and answers how many it is.
    func increment() -> Int { value.add(1, ordering: .relaxed).newValue }
}

/// Keeps one worker agent running beside the coordinator, and starts it again when it dies.
final class AgentSupervisor: Sendable {
    private struct State {
        var child: ChildProcess?
        var thread: NamedThread?
        var isStopping = false
        var problem: String?
    }

    private static let restartsMax = 5
    private let handoff: AgentHandoff
    private let ended: @Sendable (WorkerID) -> Void
    private let gaveUp: @Sendable () -> Void
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - ended: Called with the worker whose process has ended.
    ///   - gaveUp: Called when the agent dies again and again.
    init(
        handoff: AgentHandoff, ended: @escaping @Sendable (WorkerID) -> Void,
        gaveUp: @escaping @Sendable () -> Void, logger: Logger
    ) {
        self.handoff = handoff
        self.ended = ended
        self.gaveUp = gaveUp
        self.logger = logger
    }

    /// Why the agent could not be kept running; `nil` while it could.
    var problem: String? { state.withLock { $0.problem } }

    func start() throws {
        let first = try spawn()
        let thread = try NamedThread(name: "fathom-keeper", stackBytes: 1 << 20) { [self] in
            keep(first.child, first.worker)
        }
        state.withLock { $0.thread = thread }
    }

    /// Ends the agent, if it has not ended by itself, and its slots with it.
    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            if let child = state.child {
                state.child = nil
                close(child.input)
            }
            return state.thread
        }
        thread?.join()
    }

    private func keep(_ child: ChildProcess, _ worker: WorkerID) {
        var (child, worker) = (child, worker)
        var failures = 0
        while true {
            let started = Instant.now()
            let cause = child.wait()
            ended(worker)
            let isStopping = state.withLock { state in
                if !state.isStopping { close(child.input) }
                state.child = nil
                return state.isStopping
            }
            // One that ended by itself was told so by the coordinator.
            guard !isStopping, let cause else { return }
            failures = Instant.now().seconds(since: started) > 10 ? 1 : failures + 1
            logger.warning("the worker agent is started again", metadata: ["cause": "\(cause)"])
            do {
                guard failures <= Self.restartsMax else {
                    throw RunError(
                        description: "the worker agent died \(failures) times in a row; the last "
                            + "time it \(cause)")
                }
                (child, worker) = try spawn()
            } catch {
                state.withLock { $0.problem = "\(error)" }
                gaveUp()
                return
            }
        }
    }

    private func spawn() throws -> (child: ChildProcess, worker: WorkerID) {
        var handoff = handoff
        handoff.worker = WorkerName.draw()
        let ready = handoff
        return try state.withLock { state in
            guard !state.isStopping else { throw RunError(description: "stopping") }
            let child = try ready.start()
            state.child = child
            return (child, WorkerID(ready.worker))
        }
    }
}

/// Names for workers.
enum WorkerName {
    /// 16 random bytes in hexadecimal.
    static func draw() -> String {
        (0..<16).map { _ in
            let byte = UInt8.random(in: 0...255)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// This program's own file.
enum Program {
    static func path() throws -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            throw RunError(description: "cannot find this program's own file: \(error)")
        }
    }
}
