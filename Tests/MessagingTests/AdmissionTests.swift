import FathomMessaging
import Foundation
import Testing

@Suite("who may connect", .serialized, .timeLimit(.minutes(3)))
struct AdmissionTests {
    @Test("a key that is not on the list is refused, counted and named")
    func unknownKey() throws {
        let harness = try Harness()
        let stranger = try CurveKeyPair.generate()
        let connection = try harness.connect(keys: stranger)
        connection.send([1])
        #expect(eventually { harness.listener.statistics.keysRefused >= 1 })
        #expect(eventually { harness.listener.statistics.handshakesRefused >= 1 })
        let refusal = harness.listener.takeRefusals().first { $0.publicKey != nil }
        #expect(refusal?.publicKey == stranger.publicKey)
        #expect(refusal?.address == "127.0.0.1")
        #expect(harness.listener.statistics.handshakesAccepted == 0)
        #expect(harness.listener.statistics.messagesReceived == 0)
    }

    @Test("a key that is allowed later gets in without the client being restarted")
    func allowedLater() throws {
        let harness = try Harness()
        let newcomer = try CurveKeyPair.generate()
        let connection = try harness.connect(keys: newcomer)
        #expect(eventually { connection.statistics.handshakesRefused >= 2 })
        harness.listener.allow([newcomer.publicKey])
        #expect(eventually { connection.statistics.handshakesAccepted == 1 })
        connection.send([1])
        #expect(collect(1, from: harness.listener.receive).count == 1)
    }

    @Test("a key taken off the list is neither heard nor answered, and cannot connect again")
    func revoked() throws {
        let harness = try Harness()
        let first = try harness.connect()
        first.send([1])
        let peer = try #require(collect(1, from: harness.listener.receive).first?.peer)
        harness.listener.allow([])
        #expect(eventually { harness.listener.takeRevoked() == [peer] })
        let refusal = harness.listener.takeRefusals().first
        #expect(refusal?.publicKey == harness.clientKeys.publicKey)
        first.send([2])
        #expect(eventually { harness.listener.statistics.messagesRefused == 1 })
        harness.listener.send([3], to: peer)
        #expect(eventually { harness.listener.statistics.messagesUnreachable == 1 })
        #expect(first.receive(atMost: 1, within: .zero).isEmpty)
        let second = try harness.connect(as: "worker-2")
        second.send([4])
        #expect(eventually { harness.listener.statistics.keysRefused >= 1 })
        #expect(harness.listener.statistics.messagesReceived == 1)
        // Allowed again, it goes on with the connection it has.
        harness.listener.allow([harness.clientKeys.publicKey])
        first.send([5])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[5]])
    }

    @Test("a name belongs to the key that used it first")
    func stolenName() throws {
        let harness = try Harness()
        let other = try CurveKeyPair.generate()
        harness.listener.allow([harness.clientKeys.publicKey, other.publicKey])
        let owner = try comeIn(harness)
        let thief = try harness.connect(keys: other)
        thief.send([2])
        #expect(eventually { harness.listener.statistics.messagesRefused == 1 })
        #expect(harness.listener.statistics.messagesReceived == 1)
        withExtendedLifetime(owner) {}
    }

    /// Somebody who is in, and was heard.
    private func comeIn(_ harness: Harness) throws -> Connection {
        let owner = try harness.connect()
        owner.send([1])
        #expect(collect(1, from: harness.listener.receive).count == 1)
        return owner
    }

    /// Long where `FATHOM_SLOW` is set.
    private static let floodSeconds =
        ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1" ? 30 : 1

    @Test("who floods the port with wrong keys is kept out; who is in stays in, others get in")
    func flood() throws {
        var limits = MessagingLimits.quick
        limits.refusalsPerSecond = 4
        let harness = try Harness(limits: limits)
        let owner = try comeIn(harness)
        let flood = try Flood(
            from: "127.0.0.2", at: harness.listener.endpoint, server: harness.serverKeys.publicKey)
        #expect(eventually { harness.listener.statistics.admissionPauses >= 1 })
        let end = ContinuousClock.now + .seconds(Self.floodSeconds)
        var number: UInt8 = 0
        repeat {
            number &+= 1
            owner.send([number])
            #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[number]])
            let late = try harness.connect(as: "late-\(number)")
            late.send([number])
            #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[number]])
        } while ContinuousClock.now < end
        withExtendedLifetime(flood) {}
        #expect(owner.statistics.disconnections == 0)
        #expect(owner.statistics.handshakesAccepted == 1)
        // What was under way when they were kept out, and one a second since.
        #expect(harness.listener.statistics.keysRefused < 100 + 2 * Self.floodSeconds)
    }

    @Test("who comes from where a flood comes from stays in too, and gets in when it is over")
    func floodFromNearby() throws {
        var limits = MessagingLimits.quick
        limits.refusalsPerSecond = 20
        let harness = try Harness(limits: limits)
        let owner = try comeIn(harness)
        var flood: Flood? = try Flood(
            from: "127.0.0.1", at: harness.listener.endpoint, server: harness.serverKeys.publicKey)
        #expect(eventually { harness.listener.statistics.admissionPauses >= 1 })
        for number: UInt8 in 2...50 {
            owner.send([number])
            #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[number]])
        }
        withExtendedLifetime(flood) {}
        flood = nil
        let late = try harness.connect(as: "late")
        late.send([3])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[3]])
        #expect(owner.statistics.disconnections == 0)
    }

    @Test(
        "a flood over version 6 keeps nobody out who comes over version 4",
        .enabled(if: hasIPv6, "this machine has no loopback of IP version 6"))
    func floodOverVersion6() throws {
        var limits = MessagingLimits.quick
        limits.refusalsPerSecond = 4
        let harness = try Harness(limits: limits, endpoint: "tcp://[::]:*")
        let port = try #require(harness.listener.endpoint.split(separator: ":").last)
        let flood = try Flood(
            from: "[::1]", at: "tcp://[::1]:\(port)", server: harness.serverKeys.publicKey)
        #expect(eventually { harness.listener.statistics.admissionPauses >= 1 })
        // Nobody is known yet: only the address of the flood is kept out.
        let refused = harness.listener.statistics.keysRefused
        for number: UInt8 in 1...20 {
            let late = try harness.connect(
                as: "late-\(number)", at: "tcp://127.0.0.1:\(port)")
            late.send([number])
            #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[number]])
        }
        withExtendedLifetime(flood) {}
        #expect(harness.listener.statistics.keysRefused < refused + 100)
    }

    @Test("connections that prove nothing are bounded")
    func halfOpen() throws {
        var limits = MessagingLimits.quick
        limits.handshakesPendingMax = 4
        limits.handshakeTimeout = .milliseconds(300)
        let harness = try Harness(limits: limits)
        let silent = (0..<30).map { _ in SilentClient(endpoint: harness.listener.endpoint) }
        #expect(eventually { harness.listener.statistics.admissionPauses >= 1 })
        let late = try harness.connect()
        late.send([3])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[3]])
        withExtendedLifetime(silent) {}
        // Its address is known now: others from there are not kept waiting.
        let more = (0..<30).map { _ in SilentClient(endpoint: harness.listener.endpoint) }
        let next = try harness.connect(as: "next")
        next.send([4])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[4]])
        withExtendedLifetime(more) {}
    }

    @Test("an allow-list is read, changed and written, comments and names kept")
    func allowList() throws {
        let keys = try (0..<3).map { _ in try CurveKeyPair.generate().publicKey }
        var list = try AllowList(
            text: "# ours\n\n\(keys[0])\n  \(keys[1])   node 7  \n", field: "allowed")
        #expect(list.entries.map(\.name) == ["", "node 7"])
        try list.add(keys[2], name: "node 8")
        try list.add(keys[0], name: "node 6")
        #expect(list.remove("node 7").map(\.key) == [keys[1]])
        #expect(list.remove("node 7").isEmpty && list.remove("").isEmpty)
        #expect(list.text == "# ours\n\(keys[0]) node 6\n\(keys[2]) node 8\n")
        #expect(try AllowList(text: list.text, field: "allowed") == list)
        #expect(throws: AllowListError.name("a\u{7}b")) { try list.add(keys[0], name: "a\u{7}b") }
        #expect(
            throws: AllowListError.key(.lengthWrong(field: "allowed:2", characters: 5))
        ) { try AllowList(text: "\nwrong", field: "allowed") }
    }

    @Test("a client that expects another server is refused by both")
    func wrongServerKey() throws {
        let harness = try Harness()
        let other = try CurveKeyPair.generate()
        let connection = try harness.connect(server: other.publicKey)
        connection.send([1])
        #expect(eventually { harness.listener.statistics.handshakesRefused >= 1 })
        #expect(eventually { connection.statistics.handshakesRefused >= 1 })
        #expect(harness.listener.statistics.messagesReceived == 0)
        #expect(connection.statistics.handshakesAccepted == 0)
    }

    @Test("a client without CURVE is refused and counted")
    func plainText() throws {
        let harness = try Harness()
        let raw = RawClient(
            endpoint: harness.listener.endpoint, server: harness.serverKeys.publicKey, keys: nil)
        raw.send([[1]])
        #expect(eventually { harness.listener.statistics.handshakesRefused >= 1 })
        #expect(harness.listener.statistics.messagesReceived == 0)
        // Others are served all the same.
        let connection = try harness.connect()
        connection.send([2])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[2]])
    }

    @Test("whoever takes up a name gets what is sent to it")
    func handover() throws {
        let harness = try Harness()
        let first = try harness.connect()
        first.send([1])
        let peer = try #require(collect(1, from: harness.listener.receive).first?.peer)
        let second = try harness.connect()
        second.send([2])
        #expect(collect(1, from: harness.listener.receive).map(\.peer) == [peer])
        harness.listener.send([3], to: peer)
        #expect(collect(1, from: second.receive).map(\.payload) == [[3]])
        #expect(first.receive(atMost: 1, within: .zero).isEmpty)
    }

    @Test("an encoded key is read back, and a pair is derived from its secret")
    func keys() throws {
        let pair = try CurveKeyPair.generate()
        #expect(pair.secretKey.count == 40 && pair.publicKey.z85.count == 40)
        #expect(try CurveKeyPair(secretKey: pair.secretKey) == pair)
        #expect(try CurvePublicKey(z85: pair.publicKey.z85) == pair.publicKey)
        #expect(!"\(pair) \(String(reflecting: pair))".contains(pair.secretKey))
    }

    @Test("a text that is not a key is refused with the reason")
    func brokenKeys() throws {
        #expect(throws: CurveKeyError.lengthWrong(field: "worker.key", characters: 3)) {
            try CurvePublicKey(z85: "abc", field: "worker.key")
        }
        let quoted = String(repeating: "a", count: 39) + "\""
        #expect(throws: CurveKeyError.characterInvalid(field: "secret key", position: 40)) {
            try CurveKeyPair(secretKey: quoted)
        }
        let tooHigh = String(repeating: "#", count: 40)
        #expect(throws: CurveKeyError.valueInvalid(field: "public key")) {
            try CurvePublicKey(z85: tooHigh)
        }
    }
}
