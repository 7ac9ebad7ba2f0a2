/// A running driver on its thread, seen from outside.
final class SocketThread: Sendable {
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
