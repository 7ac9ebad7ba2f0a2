import FathomMessaging
import Testing

@Suite("who may connect", .serialized, .timeLimit(.minutes(1)))
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

    @Test("a key taken off the list cannot connect again, while its connection stays")
    func revoked() throws {
        let harness = try Harness()
        let first = try harness.connect()
        first.send([1])
        #expect(collect(1, from: harness.listener.receive).count == 1)
        harness.listener.allow([])
        first.send([2])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[2]])
        first.close()
        let second = try harness.connect()
        second.send([3])
        #expect(eventually { harness.listener.statistics.keysRefused >= 1 })
        #expect(harness.listener.statistics.messagesReceived == 2)
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
