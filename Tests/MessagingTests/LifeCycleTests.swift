import FathomMessaging
import Foundation
import Testing

@Suite("opening, closing and coming back", .serialized, .timeLimit(.minutes(1)))
struct LifeCycleTests {
    @Test("a connection comes back when its listener does, on the same port")
    func restart() throws {
        let harness = try Harness()
        let connection = try harness.connect()
        connection.send([1])
        #expect(collect(1, from: harness.listener.receive).count == 1)
        harness.listener.close()
        let again = try Listener(
            endpoint: harness.listener.endpoint, keyPair: harness.serverKeys,
            allowList: [harness.clientKeys.publicKey], limits: .quick)
        #expect(eventually { connection.statistics.handshakesAccepted == 2 })
        connection.send([2])
        #expect(collect(1, from: again.receive).map(\.payload) == [[2]])
    }

    @Test("messages queued before a listener exists arrive once it does")
    func earlyBird() throws {
        let harness = try Harness()
        harness.listener.close()
        let connection = try harness.connect()
        connection.send([1])
        let late = try Listener(
            endpoint: harness.listener.endpoint, keyPair: harness.serverKeys,
            allowList: [harness.clientKeys.publicKey], limits: .quick)
        #expect(collect(1, from: late.receive).map(\.payload) == [[1]])
    }

    @Test("a port in use is an error that says what to do")
    func portInUse() throws {
        let harness = try Harness()
        let endpoint = harness.listener.endpoint
        let error = #expect(throws: MessagingError.self) {
            try Listener(endpoint: endpoint, keyPair: harness.serverKeys, allowList: [])
        }
        #expect(
            error?.description
                == "\(endpoint) is in use by another program; choose another port or stop it")
        #expect(error?.isTransient == true)
    }

    @Test("a text that is no endpoint is refused", arguments: ["", "nonsense", "tcp://", "udp:x"])
    func badEndpoint(endpoint: String) throws {
        let keys = try CurveKeyPair.generate()
        #expect(throws: MessagingError.endpointInvalid(endpoint: endpoint)) {
            try Listener(endpoint: endpoint, keyPair: keys, allowList: [])
        }
    }

    @Test("routing ids are 1 to 255 bytes and do not begin with zero")
    func routingIDs() throws {
        #expect(throws: MessagingError.self) { try RoutingID([]) }
        #expect(throws: MessagingError.self) { try RoutingID([0, 1]) }
        #expect(throws: MessagingError.self) { try RoutingID([UInt8](repeating: 1, count: 256)) }
        #expect(try RoutingID([UInt8](repeating: 1, count: 255)).bytes.count == 255)
        #expect(try RoutingID([1, 171]).description == "0x01ab")
    }

    @Test("a blocked receive returns when it is woken, when the time is over and when closed")
    func blockedReceive() throws {
        let harness = try Harness()
        #expect(harness.listener.receive(atMost: 1, within: .milliseconds(10)).isEmpty)
        let waker = try NamedThread(name: "waker") { harness.listener.wake() }
        #expect(harness.listener.receive(atMost: 1, within: .seconds(50)).isEmpty)
        waker.join()
        let closer = try NamedThread(name: "closer") { harness.listener.close() }
        #expect(harness.listener.receive(atMost: 1, within: .seconds(50)).isEmpty)
        closer.join()
        #expect(!harness.listener.send([1], to: try RoutingID("late")))
        harness.listener.close()
    }

    @Test("closing sends what is queued")
    func closingFlushes() throws {
        var limits = MessagingLimits.quick
        limits.linger = .seconds(10)
        let harness = try Harness()
        let connection = try harness.connect(limits: limits)
        for number in 0..<5_000 { connection.send([UInt8(number & 255)]) }
        connection.close()
        #expect(collect(5_000, from: harness.listener.receive).count == 5_000)
    }

    @Test("closing a connection that nobody answers takes no longer than the linger allows")
    func closingAlone() throws {
        let harness = try Harness()
        harness.listener.close()
        let connection = try harness.connect()
        for _ in 0..<10_000 { connection.send([1]) }
        let start = ContinuousClock.now
        connection.close()
        // Ten times the linger: the machine may be busy, a hang would last for ever.
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("what is dropped without being closed ends its thread")
    func droppedUnclosed() throws {
        for _ in 0..<20 {
            let harness = try Harness()
            let connection = try harness.connect()
            connection.send([1])
            #expect(collect(1, from: harness.listener.receive).count == 1)
        }
    }
}

@Suite("threads and queues", .timeLimit(.minutes(1)))
struct ThreadTests {
    @Test("elements leave in the order they came, through growth and wrap-around")
    func order() {
        let queue = BoundedQueue<Int>(capacity: 1_000)
        var next = 0
        var expected = 0
        for round in 1...200 {
            for _ in 0..<(round % 17) {
                if queue.offer(next) { next += 1 }
            }
            for element in queue.take(atMost: round % 13 + 1, within: .zero) {
                #expect(element == expected)
                expected += 1
            }
        }
        #expect(queue.count == next - expected)
    }

    @Test("neither count nor weight goes beyond its bound")
    func bounds() {
        let queue = BoundedQueue<Int>(capacity: 3, weightMax: 10, weigh: { $0 })
        #expect(queue.offer(contentsOf: [1, 2, 3, 4]) == 3)
        #expect(queue.room.elements == 0)
        #expect(queue.take(atMost: 2, within: .zero) == [1, 2])
        #expect(queue.offer(20))
        #expect(!queue.offer(1), "the weight is used up")
        #expect(queue.totalWeight == 23)
        #expect(!queue.put(1, within: .milliseconds(5)))
        #expect(queue.take(atMost: 9, within: .zero) == [3, 20])
        #expect(queue.put(1, within: .zero))
    }

    @Test("a closed queue gives out what it has and takes nothing more")
    func closed() {
        let queue = BoundedQueue<Int>(capacity: 3)
        queue.offer(1)
        queue.close()
        #expect(!queue.offer(2))
        #expect(queue.take(atMost: 5, within: .seconds(50)) == [1])
        #expect(queue.take(atMost: 5, within: .seconds(50)).isEmpty)
    }

    @Test("many producers and consumers lose and double nothing")
    func concurrent() throws {
        let queue = BoundedQueue<Int>(capacity: 64)
        let taken = BoundedQueue<Int>(capacity: 1 << 20)
        let producers = try (0..<4).map { part in
            try NamedThread(name: "producer") {
                for number in 0..<5_000 {
                    _ = queue.put(part * 5_000 + number, within: .seconds(50))
                }
            }
        }
        let consumers = try (0..<3).map { _ in
            try NamedThread(name: "consumer") {
                while true {
                    let batch = queue.take(atMost: 7, within: .seconds(50))
                    if batch.isEmpty { return }
                    _ = taken.offer(contentsOf: batch)
                }
            }
        }
        for producer in producers { producer.join() }
        queue.close()
        for consumer in consumers { consumer.join() }
        #expect(taken.take(atMost: 1 << 20, within: .zero).sorted() == Array(0..<20_000))
    }

    @Test("a thread bears the name it was given, cut to what the kernel keeps")
    func threadName() throws {
        let seen = BoundedQueue<String>(capacity: 1)
        let thread = try NamedThread(name: "fathom-scheduler-thread") {
            let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            seen.offer(name ?? "unreadable")
        }
        thread.join()
        thread.join()
        #expect(seen.take(atMost: 1, within: .zero) == ["fathom-schedule\n"])
    }
}
