/// Messages that ZeroMQ could not take yet, because their peer reads too slowly.
///
/// Each peer has its own line, so that a slow one does not hold up the others.
struct OutgoingBacklog {
    private var lines: [RoutingID: Ring<[UInt8]>] = [:]
    private var messageCount = 0
    private var byteCount = 0
    private let messagesMax: Int
    private let bytesMax: Int

    init(messagesMax: Int, bytesMax: Int) {
        self.messagesMax = messagesMax
        self.bytesMax = bytesMax
    }

    var isEmpty: Bool { messageCount == 0 }

    /// Whoever has messages waiting.
    var peers: [RoutingID] { Array(lines.keys) }

    func hasLine(for peer: RoutingID) -> Bool { lines[peer] != nil }

    /// Lets a message wait; false when too much is waiting already.
    mutating func append(_ message: Outgoing) -> Bool {
        guard messageCount < messagesMax, byteCount < bytesMax else { return false }
        lines[message.peer, default: Ring()].append(message.payload)
        messageCount += 1
        byteCount += message.payload.count
        return true
    }

    /// The message that `peer` is to get next.
    func first(for peer: RoutingID) -> [UInt8]? { lines[peer]?.first }

    mutating func removeFirst(for peer: RoutingID) {
        guard let payload = lines[peer]?.removeFirst() else { return }
        messageCount -= 1
        byteCount -= payload.count
        if lines[peer]?.isEmpty == true { lines[peer] = nil }
    }

    /// Gives up on a peer and answers how many messages that were.
    mutating func removeAll(for peer: RoutingID) -> Int {
        var removed = 0
        while lines[peer] != nil {
            removeFirst(for: peer)
            removed += 1
        }
        return removed
    }
}
