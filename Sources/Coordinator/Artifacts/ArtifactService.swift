public import FathomCore
public import FathomMessaging
public import FathomProtocol
public import Logging
import Synchronization

/// The shell around an `ArtifactDesk`: a listener of its own and a thread that reads and writes
/// files, so that nobody who waits for results waits for files.
public final class ArtifactService: Sendable {
    /// Where workers ask.
    public let listener: Listener
    private let thread: NamedThread
    private let shared: Shared

    private final class Shared: Sendable {
        let isClosing = Atomic(false)
        let tally = Mutex(ArtifactDesk.Tally())
    }

    /// What a listener for pieces holds at most.
    public static var limits: MessagingLimits {
        var limits = MessagingLimits()
        limits.payloadBytesMax = ArtifactLimits.frameBytes
        limits.incomingMessagesMax = 4_096
        limits.incomingBytesMax = 64 << 20
        limits.outgoingMessagesMax = 16_384
        limits.outgoingBytesMax = 256 << 20
        limits.peerMessagesMax = 64
        return limits
    }

    /// Starts to answer.
    ///
    /// - Parameters:
    ///   - listener: Made with `limits`.
    ///   - lost: Called, on the service's thread, with files that somebody needs and that are not
    ///     here whole.
    public init(
        folder: ArtifactFolder, listener: Listener, logger: Logger,
        lost: @escaping @Sendable (Set<Digest>) -> Void
    ) throws(MessagingError) {
        self.listener = listener
        let shared = Shared()
        self.shared = shared
        thread = try NamedThread(name: "fathom-files", stackBytes: 1 << 20) {
            var desk = ArtifactDesk(folder: folder)
            var refused = RefusalTally()
            var lastTold = Instant.now()
            while !shared.isClosing.load(ordering: .acquiring) {
                Self.turn(&desk, &refused, listener, logger, lost)
                if Instant.now().seconds(since: lastTold) > 1 {
                    lastTold = .now()
                    let untold = refused.takeUntold()
                    if untold > 0 {
                        logger.warning(
                            "more questions about files refused",
                            metadata: ["count": "\(untold)"])
                    }
                }
                let tally = desk.tally
                shared.tally.withLock { $0 = tally }
            }
        }
    }

    deinit { close() }

    /// What has been moved since the start.
    public var tally: ArtifactDesk.Tally { shared.tally.withLock { $0 } }

    /// Stops answering.
    public func close() {
        shared.isClosing.store(true, ordering: .releasing)
        listener.close()
        thread.join()
    }

    private static func turn(
        _ desk: inout ArtifactDesk, _ refused: inout RefusalTally, _ listener: Listener,
        _ logger: Logger,
        _ lost: (Set<Digest>) -> Void
    ) {
        for item in listener.receive(atMost: 32, within: .milliseconds(500)) {
            do throws(MessageError) {
                let question = try ArtifactCodec.decodeQuestion(item.payload)
                let answer = desk.answer(question, at: .now())
                listener.send(ArtifactCodec.encode(answer), to: item.peer)
            } catch {
                guard refused.note() else { continue }
                logger.warning(
                    "question about a file refused",
                    metadata: ["from": "\(item.peer)", "reason": "\(error)"])
            }
        }
        let missing = desk.takeLost()
        if !missing.isEmpty { lost(missing) }
        for refusal in listener.takeRefusals() {
            logger.warning(
                "connection for files refused",
                metadata: ["from": "\(refusal.address)", "reason": "\(refusal.reason)"])
        }
        _ = listener.takeRevoked()
    }
}
