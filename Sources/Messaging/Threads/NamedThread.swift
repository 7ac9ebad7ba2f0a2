import Glibc
import Synchronization

/// A thread that we own, under a name that `top -H`, `gdb` and `perf` show.
///
/// Work that blocks (a socket poll, a transaction, a long kernel) runs here rather than on Swift's
/// cooperative pool, which has one thread a core and must not be held up.
public final class NamedThread: Sendable {
    /// The name as it was given; the kernel shows its first 15 bytes.
    public let name: String

    private let handle: Mutex<pthread_t?>

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What to show in process listings.
    ///   - stackBytes: Room for the stack, rounded up to whole pages; at least 64 KiB.
    ///   - body: What the thread does. The thread ends when it returns.
    /// - Throws: `MessagingError.threadRefused` when the system will not start another thread.
    public init(
        name: String, stackBytes: Int = 8 << 20, body: @escaping @Sendable () -> Void
    ) throws(MessagingError) {
        precondition(stackBytes >= 64 << 10, "stackBytes is \(stackBytes); at least 65536")
        self.name = name
        let start = Unmanaged.passRetained(Start(name: Self.shortened(name), body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, (stackBytes + 4_095) & ~4_095)
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, runStart, start.toOpaque())
        handle = Mutex(status == 0 ? thread : nil)
        guard status == 0 else {
            start.release()
            let reason = String(cString: strerror(status))
            throw MessagingError.threadRefused(name: name, reason: reason)
        }
    }

    deinit {
        handle.withLock { thread in
            if let thread { pthread_detach(thread) }
            thread = nil
        }
    }

    /// Waits until the body has returned. Later calls, from whichever thread, find that it has.
    ///
    /// Must not be called by the thread itself, which would wait for its own end.
    public func join() {
        handle.withLock { thread in
            guard let running = thread else { return }
            precondition(pthread_equal(running, pthread_self()) == 0, "\(name) joins itself")
            pthread_join(running, nil)
            thread = nil
        }
    }

    /// The longest prefix, in whole characters, that the kernel's 15 bytes hold.
    private static func shortened(_ name: String) -> String {
        var short = name
        while short.utf8.count > 15 { short.removeLast() }
        return short
    }
}

/// What a new thread is handed: its name and its work.
private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// The C entry point: takes over the reference it is given, names the thread and does the work.
private func runStart(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    nameThisThread(start.name)
    start.body()
    return nil
}

/// Names the calling thread. Swift's Glibc module lacks `pthread_setname_np`, which writes this
/// file too. A thread that could not be named works all the same.
private func nameThisThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
}
