import FathomCore
import FathomMessaging
import FathomProtocol
import Glibc
import Synchronization

/// Messages on their way to workers, held back until what they tell of is durable.
struct Delivery {
    private static let messagesPerFrame = 2_048
    private struct Parcel {
        let worker: WorkerID
        var messages: [CoordinatorMessage] = []
        var acknowledged: [Lease] = []
    }

    private var parcels: [Parcel] = []
    private var places: [WorkerID: Int] = [:]

    var isEmpty: Bool { parcels.isEmpty }

    mutating func add(_ message: CoordinatorMessage, to worker: WorkerID) {
        let place = place(of: worker)
        if case .acknowledge(let leases) = message {
            parcels[place].acknowledged += leases
        } else {
            parcels[place].messages.append(message)
        }
    }

    private mutating func place(of worker: WorkerID) -> Int {
        // Messages come in runs to one worker, or in turns to few.
        if let last = parcels.last, last.worker == worker { return parcels.count - 1 }
        if let place = places[worker] { return place }
        places[worker] = parcels.count
        parcels.append(Parcel(worker: worker))
        return parcels.count - 1
    }

    /// Takes all of it out, in frames of at most two thousand messages.
    mutating func takeFrames() -> [(peer: RoutingID, bytes: [UInt8])] {
        var frames: [(peer: RoutingID, bytes: [UInt8])] = []
        for parcel in parcels {
            guard let peer = try? RoutingID(parcel.worker.text) else { continue }
            var all = parcel.messages
            var leases = parcel.acknowledged[...]
            while !leases.isEmpty {
                all.append(.acknowledge(Array(leases.prefix(MessageLimits.leasesPerList))))
                leases = leases.dropFirst(MessageLimits.leasesPerList)
            }
            var rest = all[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Self.messagesPerFrame))
                frames.append((peer, MessageCodec.encode(part)))
                rest = rest.dropFirst(Self.messagesPerFrame)
            }
        }
        parcels.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        return frames
    }
}

/// What other threads ask of the coordinator.
final class Requests: Sendable {
    let isStopAsked = Atomic(false)
    let lostWorkers = Mutex<[WorkerID]>([])
    let steering = Mutex<[SteeringRequest]>([])
    let metrics = Mutex<[MetricsRequest]>([])
    let lostFiles = Mutex<Set<Digest>>([])

    /// Waits a little, less when a stop is asked for meanwhile.
    func pause(seconds: Double) {
        for _ in 0..<Int(seconds * 10) where !isStopAsked.load(ordering: .acquiring) {
            usleep(100_000)
        }
    }
}

/// A question for the coordinator's figures from another thread, which waits for the answer.
final class MetricsRequest: Sendable {
    private let answer: BoundedQueue<String> = BoundedQueue(capacity: 1)

    func finish(_ text: String) { _ = answer.put(text, within: .zero) }

    /// The figures; `nil` when the coordinator did not get to it.
    func wait(seconds: Int64) -> String? {
        answer.take(atMost: 1, within: .seconds(seconds)).first
    }
}

extension Array {
    /// Empties the array and answers what was in it.
    mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
