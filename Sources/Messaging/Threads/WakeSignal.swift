import Glibc

/// A descriptor that one thread polls and any other makes readable.
///
/// A socket pair, since Swift's Glibc module knows neither `eventfd` nor `pipe2`, and a plain pipe
/// could be inherited by a process that another thread starts at that moment. It is written to
/// only when its thread sleeps, so the difference cannot be measured.
final class WakeSignal: Sendable {
    /// What to poll for reading.
    let descriptor: Int32

    private let writing: Int32

    init() throws(MessagingError) {
        var ends: [Int32] = [-1, -1]
        let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let type = Int32(SOCK_STREAM.rawValue) | flags
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw MessagingError.system(
                operation: "making a socket pair", reason: String(cString: strerror(errno)))
        }
        descriptor = ends[0]
        writing = ends[1]
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    /// Makes the descriptor readable. It stays so until `clear()`.
    func raise() {
        var byte: UInt8 = 1
        // A pair that is full is readable already.
        _ = write(writing, &byte, 1)
    }

    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
