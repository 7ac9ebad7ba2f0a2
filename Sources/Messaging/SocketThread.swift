/// A socket with whoever drives it, seen from outside.
protocol SocketHost: AnyObject, Sendable {
    var mailbox: Mailbox { get }
    /// The endpoint as bound, or as connected to.
    var endpoint: String { get }
    /// - Parameter watching: What ends the wait too; of a driven socket only.
    func receive(
        atMost countMax: Int, within duration: Duration, watching: inout [WatchedDescriptor]
    ) -> [Incoming]
    /// Whether a message waits to be received.
    var hasIncoming: Bool { get }
    func wake()
    func close()
}

extension SocketHost {
    func receive(atMost countMax: Int, within duration: Duration) -> [Incoming] {
        var nothing: [WatchedDescriptor] = []
        return receive(atMost: countMax, within: duration, watching: &nothing)
    }
}

/// A running driver on its thread, seen from outside.
final class SocketThread: SocketHost {
    let mailbox: Mailbox
    /// The endpoint as bound, or as connected to.
    let endpoint: String

    private let thread: NamedThread

    /// Starts the thread and waits until its socket is open.
    init(name: String, role: SocketRole, mailbox: Mailbox) throws(MessagingError) {
        let opened = BoundedQueue<Result<String, MessagingError>>(capacity: 1)
        thread = try NamedThread(name: name, stackBytes: 1 << 20) {
            Self.drive(role, mailbox, opened)
        }
        self.mailbox = mailbox
        guard let result = opened.take(atMost: 1, within: .seconds(60)).first else {
            mailbox.close()
            throw .system(operation: "opening \(role.endpoint)", reason: "no answer for 60 s")
        }
        endpoint = try result.get()
    }

    deinit {
        close()
    }

    func receive(
        atMost countMax: Int, within duration: Duration, watching: inout [WatchedDescriptor]
    ) -> [Incoming] {
        precondition(watching.isEmpty, "\(watching.count) descriptors at an undriven socket")
        return mailbox.receive(atMost: countMax, within: duration)
    }

    var hasIncoming: Bool { mailbox.incoming.count > 0 }

    func wake() { mailbox.incoming.wake() }

    func close() {
        mailbox.close()
        thread.join()
    }

    /// The thread's whole life: the socket is made, used and closed here.
    private static func drive(
        _ role: SocketRole, _ mailbox: Mailbox,
        _ opened: BoundedQueue<Result<String, MessagingError>>
    ) {
        do throws(MessagingError) {
            let driver = try SocketDriver(role: role, mailbox: mailbox)
            opened.offer(.success(try driver.socket.lastEndpoint()))
            driver.run()
        } catch {
            opened.offer(.failure(error))
        }
    }
}
