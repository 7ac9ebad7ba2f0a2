import Glibc
import Synchronization

/// A socket that is driven by the thread which receives from it: no other thread stands between a
/// message and whoever waits for it, which saves two changes of threads each way.
///
/// Its owner has to call `receive` again and again, and to be the one who closes it. Unchecked,
/// because the driver belongs to that one thread; all else goes through the mailbox.
final class DrivenSocket: SocketHost, @unchecked Sendable {
    let mailbox: Mailbox
    let endpoint: String
    private let driver: SocketDriver
    private let isWoken = Atomic(false)
    private let isClosed = Atomic(false)
    private let clock = ContinuousClock()
    private var alertness = Alertness()

    /// Opens the socket.
    init(role: SocketRole, mailbox: Mailbox) throws(MessagingError) {
        self.mailbox = mailbox
        driver = try SocketDriver(role: role, mailbox: mailbox)
        endpoint = try driver.socket.lastEndpoint()
    }

    deinit { close() }

    func receive(
        atMost countMax: Int, within duration: Duration, watching: inout [WatchedDescriptor]
    ) -> [Incoming] {
        let start = clock.now
        while true {
            while driver.turn() && mailbox.incoming.count == 0 {}
            let messages = mailbox.incoming.take(atMost: countMax, within: .zero)
            let isCalled = isWoken.exchange(false, ordering: .acquiringAndReleasing)
            let isReady = WatchedDescriptor.look(at: &watching)
            let waited = clock.now - start
            if !messages.isEmpty || isCalled || isReady || mailbox.isClosing || waited >= duration {
                if duration > .zero { alertness.noteWait(waited) }
                return messages
            }
            if alertness.staysAwake(after: waited) {
                sched_yield()
            } else {
                driver.sleep(
                    atMost: Int((duration - waited).milliseconds), watching: watching)
            }
        }
    }

    var hasIncoming: Bool {
        _ = driver.turn()
        return mailbox.incoming.count > 0
    }

    func wake() {
        isWoken.store(true, ordering: .releasing)
        mailbox.signal.raise()
    }

    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // What was queued before this is still sent.
        mailbox.close()
        driver.finish()
    }
}
