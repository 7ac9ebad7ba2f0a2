import Glibc

/// A descriptor of somebody else's that ends a wait for messages when it can be read, or written.
public struct WatchedDescriptor: Sendable {
    /// Negative for none.
    public let descriptor: Int32
    /// Whether it is to be written, not read.
    public let awaitsRoom: Bool
    /// Whether it could be when it was last looked at; also when the other end is gone.
    public private(set) var isReady = false

    public init(_ descriptor: Int32, awaitsRoom: Bool = false) {
        self.descriptor = descriptor
        self.awaitsRoom = awaitsRoom
    }

    /// Looks at all of them without waiting; false when none is ready.
    static func look(at watched: inout [WatchedDescriptor]) -> Bool {
        guard !watched.isEmpty else { return false }
        var items = watched.map {
            pollfd(
                fd: $0.descriptor, events: Int16($0.awaitsRoom ? POLLOUT : POLLIN), revents: 0)
        }
        let count = poll(&items, nfds_t(items.count), 0)
        for place in watched.indices {
            watched[place].isReady = count > 0 && items[place].revents != 0
        }
        return count > 0
    }
}
