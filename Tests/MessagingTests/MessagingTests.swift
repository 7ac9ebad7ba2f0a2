import FathomMessaging
import Foundation
import Testing

@Suite("messages over CURVE", .serialized, .timeLimit(.minutes(1)))
struct MessagingTests {
    @Test("a message arrives with its sender's name, and the answer comes back")
    func echo() throws {
        let harness = try Harness()
        let connection = try harness.connect()
        let before = ContinuousClock.now
        #expect(connection.send([1, 2, 3]))
        let question = try #require(collect(1, from: harness.listener.receive).first)
        #expect(question.peer.description == "worker-1")
        #expect(question.payload == [1, 2, 3])
        #expect(question.arrival >= before && question.arrival <= ContinuousClock.now)
        #expect(harness.listener.send([4], to: question.peer))
        let answer = try #require(collect(1, from: connection.receive).first)
        #expect(answer.payload == [4])
        #expect(answer.peer == .listener)
        #expect(eventually { harness.listener.statistics.messagesSent == 1 })
        // A message may arrive before the word that its connection stands.
        #expect(eventually { harness.listener.statistics.handshakesAccepted == 1 })
        #expect(eventually { connection.statistics.handshakesAccepted == 1 })
        #expect(harness.listener.statistics.messagesDropped == 0)
    }

    @Test("empty and large payloads arrive whole")
    func sizes() throws {
        let harness = try Harness()
        let connection = try harness.connect()
        let payloads = [0, 1, 255, 256, 70_000, 3 << 20].map { size in
            (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        }
        for payload in payloads { connection.send(payload) }
        let received = collect(payloads.count, from: harness.listener.receive)
        #expect(received.map(\.payload) == payloads)
    }

    @Test("half a million bytes in small messages there and back keep their order")
    func throughput() throws {
        let harness = try Harness()
        let connection = try harness.connect()
        let count = 50_000
        let sender = try NamedThread(name: "sender") {
            for number in 0..<count { connection.send(bytes(of: number)) }
        }
        let there = collect(count, from: harness.listener.receive)
        sender.join()
        #expect(there.map(\.payload) == (0..<count).map(bytes(of:)))
        for message in there { harness.listener.send(message.payload, to: message.peer) }
        let back = collect(count, from: connection.receive)
        #expect(back.map(\.payload) == (0..<count).map(bytes(of:)))
        #expect(harness.listener.statistics.messagesDropped == 0)
    }

    @Test("sockets that are driven by whoever receives carry messages, calls and the end")
    func driven() throws {
        let (serverKeys, clientKeys) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let listener = try Listener(
            endpoint: "tcp://127.0.0.1:*", keyPair: serverKeys,
            allowList: [clientKeys.publicKey], limits: .quick, isDriven: true)
        let stop = BoundedQueue<Bool>(capacity: 1)
        let server = try NamedThread(name: "server") {
            while !stop.isClosed {
                for message in listener.receive(atMost: 64, within: .seconds(10)) {
                    listener.send(message.payload, to: message.peer)
                }
            }
            listener.close()
        }
        let connection = try Connection(
            endpoint: listener.endpoint, serverKey: serverKeys.publicKey, keyPair: clientKeys,
            routingID: RoutingID("worker-1"), limits: .quick, isDriven: true)
        for number in 0..<2_000 { connection.send(bytes(of: number)) }
        let back = collect(2_000, from: connection.receive)
        #expect(back.map(\.payload) == (0..<2_000).map(bytes(of:)))
        // A call from another thread ends a wait, and what another sends is sent.
        let start = ContinuousClock.now
        let caller = try NamedThread(name: "caller") { connection.wake() }
        #expect(connection.receive(atMost: 1, within: .seconds(30)).isEmpty)
        #expect(ContinuousClock.now - start < .seconds(10))
        caller.join()
        let sender = try NamedThread(name: "sender") { connection.send([9]) }
        #expect(collect(1, from: connection.receive).map(\.payload) == [[9]])
        sender.join()
        stop.close()
        listener.wake()
        server.join()
        connection.close()
        #expect(!connection.send([1]))
        #expect(try !listener.send([1], to: RoutingID("worker-1")))
        #expect(listener.statistics.messagesReceived == 2_001)
    }

    @Test("a driven connection's wait ends when a descriptor it watches can be read or written")
    func watching() throws {
        let harness = try Harness()
        let connection = try Connection(
            endpoint: harness.listener.endpoint, serverKey: harness.serverKeys.publicKey,
            keyPair: harness.clientKeys, routingID: RoutingID("worker-1"), limits: .quick,
            isDriven: true)
        let pipe = Pipe()
        let (reading, writing) = (
            pipe.fileHandleForReading.fileDescriptor, pipe.fileHandleForWriting.fileDescriptor
        )
        var watched = [WatchedDescriptor(reading), WatchedDescriptor(-1)]
        #expect(connection.receive(atMost: 1, within: .zero, watching: &watched).isEmpty)
        #expect(watched.map(\.isReady) == [false, false])
        let start = ContinuousClock.now
        let writer = try NamedThread(name: "writer") { pipe.fileHandleForWriting.write(Data([1])) }
        #expect(connection.receive(atMost: 1, within: .seconds(30), watching: &watched).isEmpty)
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(watched.map(\.isReady) == [true, false])
        writer.join()
        watched = [WatchedDescriptor(writing, awaitsRoom: true)]
        #expect(connection.receive(atMost: 1, within: .seconds(30), watching: &watched).isEmpty)
        #expect(watched.map(\.isReady) == [true])
        // Messages come all the same.
        connection.send([2])
        var heard: [Incoming] = []
        #expect(
            eventually {
                _ = connection.receive(atMost: 1, within: .zero)
                heard += harness.listener.receive(atMost: 1, within: .zero)
                return !heard.isEmpty
            })
        let peer = try #require(heard.first?.peer)
        harness.listener.send([3], to: peer)
        #expect(collect(1, from: connection.receive).map(\.payload) == [[3]])
        connection.close()
    }

    @Test("who waits stays awake only while waits are short, and less often when it was in vain")
    func alertness() {
        var alertness = Alertness()
        let (short, long) = (Duration.microseconds(300), Duration.milliseconds(30))
        #expect(!alertness.isAlert)
        alertness.noteWait(short)
        #expect(alertness.staysAwake(after: .zero) && alertness.staysAwake(after: short))
        #expect(!alertness.staysAwake(after: Alertness.moment))
        // One wait in vain: from then on two short ones are needed, then four, until one is not.
        var needed = 2
        while needed < 4 * Alertness.waitsMax {
            alertness.noteWait(long)
            for _ in 1..<min(needed, Alertness.waitsMax) {
                alertness.noteWait(short)
                #expect(!alertness.isAlert, "\(needed)")
            }
            alertness.noteWait(short)
            #expect(alertness.isAlert)
            needed *= 2
        }
        alertness.noteWait(short)
        #expect(alertness.isAlert)
        alertness.noteWait(long)
        #expect(!alertness.isAlert)
        for _ in 0..<2 { alertness.noteWait(short) }
        #expect(alertness.isAlert)
    }

    @Test("a peer that is not connected costs its messages, which are counted")
    func unreachable() throws {
        let harness = try Harness()
        #expect(harness.listener.send([1], to: try RoutingID("nobody")))
        #expect(eventually { harness.listener.statistics.messagesUnreachable == 1 })
        #expect(harness.listener.statistics.messagesSent == 0)
    }

    @Test("messages of more than one frame are dropped and counted, and the next one is read")
    func multipart() throws {
        let harness = try Harness()
        let raw = RawClient(
            endpoint: harness.listener.endpoint, server: harness.serverKeys.publicKey,
            keys: harness.clientKeys)
        raw.send([[1], [2]])
        raw.send((0..<20).map { [UInt8($0)] })
        raw.send([[], [7]])
        raw.send([[9]])
        let received = collect(1, from: harness.listener.receive)
        #expect(received.map(\.payload) == [[9]])
        #expect(eventually { harness.listener.statistics.messagesMalformed == 3 })
    }

    @Test("a message above the limit ends its connection and nobody else's")
    func oversized() throws {
        var limits = MessagingLimits.quick
        limits.payloadBytesMax = 4_096
        let harness = try Harness(limits: limits)
        let modest = try harness.connect(as: "modest")
        let greedy = try harness.connect(as: "greedy")
        greedy.send([UInt8](repeating: 1, count: 4_096))
        #expect(collect(1, from: harness.listener.receive).first?.payload.count == 4_096)
        greedy.send([UInt8](repeating: 1, count: 4_097))
        #expect(eventually { harness.listener.statistics.disconnections == 1 })
        modest.send([5])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[5]])
        // The greedy one comes back and is heard again.
        #expect(eventually { greedy.statistics.handshakesAccepted == 2 })
        greedy.send([6])
        #expect(collect(1, from: harness.listener.receive).map(\.payload) == [[6]])
    }

    @Test("a payload above our own limit is refused where it is sent")
    func oversizedAtHome() throws {
        var limits = MessagingLimits.quick
        limits.payloadBytesMax = 2_048
        let connection = try Harness().connect(limits: limits)
        #expect(!connection.send([UInt8](repeating: 0, count: 2_049)))
        #expect(connection.statistics.messagesOverflowed == 1)
    }

    @Test("a listener whose queue is full stops reading until there is room, and loses nothing")
    func backPressure() throws {
        var limits = MessagingLimits.quick
        limits.incomingMessagesMax = 100
        limits.peerMessagesMax = 50
        limits.outgoingMessagesMax = 200_000
        let harness = try Harness(limits: limits)
        let connection = try harness.connect(limits: limits)
        // More than the queues, ZeroMQ's marks and the kernel's buffers hold together.
        let payload = [UInt8](repeating: 3, count: 1_000)
        let count = 60_000
        for _ in 0..<count { #expect(connection.send(payload)) }
        #expect(eventually { harness.listener.statistics.messagesReceived == 100 })
        let sent = connection.statistics.messagesSent
        #expect(sent < count)
        let received = collect(count, from: harness.listener.receive)
        #expect(received.count == count)
        #expect(eventually { connection.statistics.messagesSent == count })
    }

    @Test("a sender whose queue is full is told so at once")
    func outgoingBound() throws {
        var limits = MessagingLimits.quick
        limits.outgoingMessagesMax = 10
        limits.peerMessagesMax = 10
        // Nobody listens on port 1 of the loopback interface.
        let keys = try CurveKeyPair.generate()
        let connection = try Connection(
            endpoint: "tcp://127.0.0.1:1", serverKey: keys.publicKey, keyPair: keys,
            routingID: RoutingID("alone"), limits: limits)
        let taken = (0..<10_000).count { _ in connection.send([1]) }
        #expect(taken < 10_000)
        #expect(connection.statistics.messagesOverflowed == 10_000 - taken)
        connection.close()
    }

    @Test("one slow peer does not hold up another")
    func slowPeer() throws {
        var limits = MessagingLimits.quick
        limits.peerMessagesMax = 20
        limits.incomingMessagesMax = 10
        let harness = try Harness(limits: limits)
        let slow = try harness.connect(as: "slow", limits: limits)
        let swift = try harness.connect(as: "swift", limits: limits)
        slow.send([1])
        swift.send([1])
        let peers = collect(2, from: harness.listener.receive).map(\.peer)
        #expect(Set(peers.map(\.description)) == ["slow", "swift"])
        let count = 30_000
        let payload = [UInt8](repeating: 9, count: 1_000)
        for _ in 0..<count { harness.listener.send(payload, to: try RoutingID("slow")) }
        harness.listener.send([7], to: try RoutingID("swift"))
        #expect(collect(1, from: swift.receive).map(\.payload) == [[7]])
        #expect(collect(count, from: slow.receive).count == count)
    }
}

/// A number's eight bytes, lowest first.
private func bytes(of number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
