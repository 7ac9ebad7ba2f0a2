import FathomMessaging
import FathomProtocol
import Glibc
import Synchronization

/// What a slot's process said, or that it is gone.
struct SlotReport: Sendable {
    enum Content: Sendable {
        case said([WorkerMessage])
        case died(cause: String, logTail: String)
    }
    var slot: Int
    /// Which process of the slot it was; reports of one that was replaced are out of date.
    var generation: Int
    var content: Content
}

/// A slot's process as the agent sees it, with the two threads that read from it.
final class Slot: Sendable {
    private let process: ChildProcess
    private let tail = LogTail()
    private let threads: [NamedThread]

    /// Starts a slot process.
    ///
    /// - Parameter report: Called on the slot's reading thread.
    init(
        slot: Int, generation: Int, program: String, arguments: [String],
        report: @escaping @Sendable (SlotReport) -> Void
    ) throws {
        let process = try ChildProcess.spawn(
            program, arguments,
            environment: [
                "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                // Swift would spend seconds on drawing a picture of the crash.
                "SWIFT_BACKTRACE": "enable=no",
            ])
        self.process = process
        let tail = tail
        let errors = try NamedThread(name: "slot-\(slot)-log", stackBytes: 256 << 10) {
            tail.read(process.errors)
        }
        let output = try NamedThread(name: "slot-\(slot)", stackBytes: 1 << 20) {
            var reader = FrameReader(descriptor: process.output)
            while let frames = reader.next() {
                let messages = frames.compactMap { try? MessageCodec.decodeWorkerFrame($0) }
                    .flatMap(\.messages)
                report(.init(slot: slot, generation: generation, content: .said(messages)))
            }
            close(process.output)
            // What it wrote last is the best clue, so the log is read to its end first.
            kill(process.processID, SIGKILL)
            errors.join()
            let cause = process.wait() ?? "ended by itself"
            let content = SlotReport.Content.died(
                cause: "the slot's process \(cause)", logTail: tail.text)
            report(.init(slot: slot, generation: generation, content: content))
        }
        threads = [errors, output]
    }

    /// Hands it assignments; false when it is gone, which it will report itself.
    func start(_ assignments: [Assignment]) -> Bool {
        let frame = MessageCodec.encode(assignments.map { .assign($0) })
        return FrameStream.write(FrameStream.framed(frame), to: process.input)
    }

    /// Ends it at once. Its threads end by themselves.
    func stop() {
        kill(process.processID, SIGKILL)
    }

    /// Waits until the process and its threads have ended.
    func join() {
        for thread in threads { thread.join() }
    }

    deinit { close(process.input) }
}

/// The last few kibibytes that a process wrote.
private final class LogTail: Sendable {
    private static let bytesMax = 4_096
    private let bytes = Mutex<[UInt8]>([])

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    /// Reads until the process has closed its end.
    func read(_ descriptor: Int32) {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.withLock {
                $0.append(contentsOf: chunk[..<count])
                $0.removeFirst(max(0, $0.count - Self.bytesMax))
            }
        }
        close(descriptor)
    }
}
