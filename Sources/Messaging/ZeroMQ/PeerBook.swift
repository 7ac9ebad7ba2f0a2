/// Whose key stands behind each peer's name, and whether that key is still on the allow-list.
///
/// A name belongs to the key that used it first. Names are drawn at random by whoever uses them, so
/// that nobody meets another's by chance.
struct PeerBook {
    private struct Entry {
        let key: CurvePublicKey
        var isAllowed: Bool
    }

    private var entries: [RoutingID: Entry] = [:]
    private var revoked: Set<RoutingID> = []
    /// The peer asked about last: messages come in runs.
    private var last: (peer: RoutingID, key: CurvePublicKey)?

    /// How many names are kept; beyond that the book begins anew.
    static let namesMax = 1 << 17

    /// Whether a message under this name, proved to come from this key, may be heard.
    ///
    /// - Parameters:
    ///   - user: The 40 characters of the key in Z85.
    ///   - allowList: Called only for a name that was not met before.
    mutating func isHeard(
        _ peer: RoutingID, user: UnsafeRawBufferPointer, allowList: () -> Set<CurvePublicKey>
    ) -> Bool {
        if let last, last.peer == peer, last.key.z85.utf8.elementsEqual(user) { return true }
        if let known = entries[peer] {
            guard known.isAllowed, known.key.z85.utf8.elementsEqual(user) else { return false }
            last = (peer, known.key)
            return true
        }
        let text = String(decoding: user, as: UTF8.self)
        guard let key = try? CurvePublicKey(z85: text), allowList().contains(key) else {
            return false
        }
        if entries.count >= Self.namesMax { self = PeerBook() }
        entries[peer] = Entry(key: key, isAllowed: true)
        last = (peer, key)
        return true
    }

    /// Whether nothing is sent under this name any more.
    func isRevoked(_ peer: RoutingID) -> Bool { !revoked.isEmpty && revoked.contains(peer) }

    /// Takes in a new allow-list and answers the peers that lose their admission by it.
    mutating func apply(_ allowList: Set<CurvePublicKey>) -> [(
        peer: RoutingID, key: CurvePublicKey
    )] {
        last = nil
        var lost: [(peer: RoutingID, key: CurvePublicKey)] = []
        for (peer, entry) in entries {
            let isAllowed = allowList.contains(entry.key)
            if entry.isAllowed && !isAllowed { lost.append((peer, entry.key)) }
            entries[peer]?.isAllowed = isAllowed
        }
        revoked = Set(entries.filter { !$0.value.isAllowed }.keys)
        return lost
    }
}
