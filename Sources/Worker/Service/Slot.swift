import FathomMessaging
import FathomProtocol
import Glibc
import Synchronization

/// A slot's process has ended.
struct SlotDeath: Sendable {
    var slot: Int
    /// Which process of the slot it was; reports of one that was replaced are out of date.
    var generation: Int
    var cause: String
    /// The last it wrote to its log.
    var logTail: String
}

/// A slot's process as the agent sees it.
///
/// The agent's own thread reads and writes its pipes, never waiting for either, so that no other
/// thread stands between an answer and the coordinator. A thread of its own reads the log and waits
/// for the end.
final class Slot {
    private let process: ChildProcess
    private let ending: SlotEnding
    private let watch: NamedThread
    private var reader: FrameReader
    private var writer: FrameWriter
    /// Whether nothing more can be read from it.
    private var isSilent = false

    /// Starts a slot process.
    ///
    /// - Parameter report: Called on another thread, once, when the process has ended.
    init(
        slot: Int, generation: Int, program: String, arguments: [String],
        report: @escaping @Sendable (SlotDeath) -> Void
    ) throws {
        let process = try ChildProcess.spawn(
            program, arguments,
            environment: [
                "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                // Swift would spend seconds on drawing a picture of the crash.
                "SWIFT_BACKTRACE": "enable=no",
            ])
        self.process = process
        let ending = SlotEnding(process)
        self.ending = ending
        writer = FrameWriter(descriptor: process.input)
        FrameStream.stopWaiting(at: process.output)
        reader = FrameReader(descriptor: process.output)
        watch = try NamedThread(name: "slot-\(slot)-log", stackBytes: 256 << 10) {
            // What it wrote last is the best clue, so the log is read to its end first.
            let tail = LogTail.read(process.errors)
            let cause = ending.wait()
            report(
                SlotDeath(
                    slot: slot, generation: generation, cause: "the slot's process \(cause)",
                    logTail: tail))
        }
    }

    /// What is ready when it has said something.
    var answers: WatchedDescriptor { WatchedDescriptor(isSilent ? -1 : process.output) }

    /// What is ready when there is room for what it was not handed yet; `nil` when it has all.
    var room: WatchedDescriptor? {
        writer.hasUnsent ? WatchedDescriptor(process.input, awaitsRoom: true) : nil
    }

    /// Hands it assignments. One that is gone will be reported.
    func start(_ assignments: [Assignment]) {
        writer.write(MessageCodec.encode(assignments.map { .assign($0) }))
    }

    /// Hands it what there was no room for.
    func flush() { writer.flush() }

    /// What it has said by now. One that will say nothing more, or nonsense, is ended.
    func hear() -> [WorkerMessage] {
        guard !isSilent else { return [] }
        guard let frames = reader.nextArrived() else {
            isSilent = true
            stop()
            return []
        }
        return frames.compactMap { try? MessageCodec.decodeWorkerFrame($0) }.flatMap(\.messages)
    }

    /// Ends it at once. Its thread ends by itself.
    func stop() { ending.hurry() }

    /// Waits until the process and its thread have ended.
    func join() { watch.join() }

    deinit {
        close(process.input)
        close(process.output)
    }
}

/// The end of a slot's process, which one thread waits for and another may bring about.
private final class SlotEnding: Sendable {
    private let process: ChildProcess
    /// Its number may belong to another by then.
    private let isReaped = Mutex(false)

    init(_ process: ChildProcess) { self.process = process }

    func hurry() {
        isReaped.withLock { if !$0 { kill(process.processID, SIGKILL) } }
    }

    /// - Returns: How it ended.
    func wait() -> String {
        var ignored = siginfo_t()
        while waitid(P_PID, id_t(process.processID), &ignored, WEXITED | WNOWAIT) < 0,
            errno == EINTR
        {}
        return isReaped.withLock {
            $0 = true
            return process.wait() ?? "ended by itself"
        }
    }
}

/// The last few kibibytes that a process wrote.
enum LogTail {
    private static let bytesMax = 4_096

    /// Reads until the process has closed its end.
    static func read(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
            bytes.removeFirst(max(0, bytes.count - bytesMax))
        }
        close(descriptor)
        return String(decoding: bytes, as: UTF8.self)
    }
}
