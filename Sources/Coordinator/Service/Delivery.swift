import FathomCore
import FathomProtocol
import Glibc
import Synchronization

/// Messages on their way to workers, held back until what they tell of is durable.
struct Delivery {
    private static let messagesPerFrame = 512
    private var order: [WorkerID] = []
    private var messages: [WorkerID: [CoordinatorMessage]] = [:]
    private var acknowledged: [WorkerID: [Lease]] = [:]

    mutating func add(_ message: CoordinatorMessage, to worker: WorkerID) {
        if messages[worker] == nil {
            order.append(worker)
            messages[worker] = []
        }
        if case .acknowledge(let leases) = message {
            acknowledged[worker, default: []] += leases
        } else {
            messages[worker]?.append(message)
        }
    }

    /// Hands over frames of at most a few hundred messages and forgets them.
    mutating func flush(_ send: (WorkerID, [UInt8]) -> Void) {
        for worker in order {
            var all = messages[worker] ?? []
            var leases = (acknowledged[worker] ?? [])[...]
            while !leases.isEmpty {
                all.append(.acknowledge(Array(leases.prefix(MessageLimits.leasesPerList))))
                leases = leases.dropFirst(MessageLimits.leasesPerList)
            }
            var rest = all[...]
            while !rest.isEmpty {
                send(worker, MessageCodec.encode(Array(rest.prefix(Self.messagesPerFrame))))
                rest = rest.dropFirst(Self.messagesPerFrame)
            }
        }
        order.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        acknowledged.removeAll(keepingCapacity: true)
    }
}

/// What other threads ask of the coordinator.
final class Requests: Sendable {
    let isStopAsked = Atomic(false)
    let lostWorkers = Mutex<[WorkerID]>([])
    let steering = Mutex<[SteeringRequest]>([])
    let lostFiles = Mutex<Set<Digest>>([])

    /// Waits a little, less when a stop is asked for meanwhile.
    func pause(seconds: Double) {
        for _ in 0..<Int(seconds * 10) where !isStopAsked.load(ordering: .acquiring) {
            usleep(100_000)
        }
    }
}

extension Array {
    /// Empties the array and answers what was in it.
    mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
