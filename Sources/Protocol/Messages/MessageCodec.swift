import FathomCore
import SwiftProtobuf

/// Turns messages into bytes and back. Whatever bytes arrive, decoding answers or throws.
public enum MessageCodec {
    /// Encodes what a worker says.
    public static func encode(_ frame: WorkerFrame) -> [UInt8] {
        var envelope = Fathom_WorkerEnvelope()
        envelope.version = UInt32(ProtocolVersion.current)
        envelope.worker = frame.worker.text
        var rest = frame.messages[...]
        while let message = rest.first {
            if case .result = message {
                envelope.items.append(.with { $0.kind = .results(takeResults(&rest)) })
            } else {
                rest = rest.dropFirst()
                if let kind = wire(message) { envelope.items.append(.with { $0.kind = kind }) }
            }
        }
        return bytes(of: envelope)
    }

    /// Encodes what the coordinator says.
    public static func encode(_ messages: [CoordinatorMessage]) -> [UInt8] {
        var envelope = Fathom_CoordinatorEnvelope()
        envelope.version = UInt32(ProtocolVersion.current)
        var rest = messages[...]
        while let message = rest.first {
            if case .assign = message {
                envelope.items.append(.with { $0.kind = .assignments(takeAssignments(&rest)) })
            } else {
                rest = rest.dropFirst()
                if let kind = wire(message) { envelope.items.append(.with { $0.kind = kind }) }
            }
        }
        return bytes(of: envelope)
    }

    /// Decodes a worker's frame.
    public static func decodeWorkerFrame(_ bytes: [UInt8]) throws(MessageError) -> WorkerFrame {
        let envelope: Fathom_WorkerEnvelope = try message(from: bytes)
        try checkVersion(envelope.version)
        try check("items", envelope.items.count, MessageLimits.messagesPerFrame)
        guard !envelope.worker.isEmpty else { throw .missing(field: "worker") }
        let worker = WorkerID(try word("worker", envelope.worker))
        var messages: [WorkerMessage] = []
        var budget = FrameBudget()
        for item in envelope.items {
            if case .results(let results)? = item.kind {
                messages += try value(results, budget: &budget)
            } else {
                messages.append(try workerMessage(item.kind))
            }
        }
        return WorkerFrame(worker: worker, messages: messages)
    }

    /// Decodes a frame of the coordinator.
    public static func decodeCoordinatorMessages(
        _ bytes: [UInt8]
    ) throws(MessageError) -> [CoordinatorMessage] {
        let envelope: Fathom_CoordinatorEnvelope = try message(from: bytes)
        try checkVersion(envelope.version)
        try check("items", envelope.items.count, MessageLimits.messagesPerFrame)
        var messages: [CoordinatorMessage] = []
        var budget = FrameBudget()
        for item in envelope.items {
            if case .assignments(let assignments)? = item.kind {
                messages += try value(assignments, budget: &budget)
            } else {
                messages.append(try coordinatorMessage(item.kind))
            }
        }
        return messages
    }

    static func bytes(of message: some Message) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            preconditionFailure("a message without required fields must be encodable: \(error)")
        }
    }

    private static func message<M: Message>(from bytes: [UInt8]) throws(MessageError) -> M {
        try check("frame", bytes.count, MessageLimits.frameBytes)
        do {
            return try M(serializedBytes: bytes)
        } catch {
            throw .malformed
        }
    }

    static func checkVersion(_ version: UInt32) throws(MessageError) {
        guard ProtocolVersion.supported.contains(Int(version)) else {
            throw .version(found: Int(version))
        }
    }
}

// MARK: Each message

extension MessageCodec {
    /// What a message is on the wire by itself; `nil` for results, which travel together.
    private static func wire(_ message: WorkerMessage) -> Fathom_WorkerItem.OneOf_Kind? {
        switch message {
        case .hello(let hello): .hello(wire(hello))
        case .heartbeat(let leases): .heartbeat(wire(leases))
        case .failure(let failure): .failure(wire(failure))
        case .handBack(let leases): .handBack(.with { $0.leases = wire(leases) })
        case .goodbye: .goodbye(.init())
        case .result: nil
        }
    }

    private static func workerMessage(
        _ kind: Fathom_WorkerItem.OneOf_Kind?
    ) throws(MessageError) -> WorkerMessage {
        switch kind {
        case nil, .results: throw .unknownKind
        case .hello(let hello): return .hello(try value(hello))
        case .heartbeat(let beat): return .heartbeat(try value(beat))
        case .failure(let failure): return .failure(try value(failure))
        case .handBack(let handBack): return .handBack(try value(handBack.leases))
        case .goodbye: return .goodbye
        }
    }

    /// The same for the coordinator's; `nil` for assignments.
    private static func wire(_ message: CoordinatorMessage) -> Fathom_CoordinatorItem.OneOf_Kind? {
        switch message {
        case .welcome(let welcome):
            .welcome(
                .with {
                    $0.term = UInt32(clamping: welcome.term)
                    $0.leaseMilliseconds = UInt32(clamping: welcome.leaseMilliseconds)
                    $0.heartbeatMilliseconds = UInt32(clamping: welcome.heartbeatMilliseconds)
                    $0.artifactPort = UInt32(clamping: welcome.artifactPort)
                })
        case .refused(let reason): .refused(.with { $0.reason = cut(reason) })
        case .registerAgain: .registerAgain(.init())
        case .acknowledge(let leases): .acknowledge(.with { $0.leases = wire(leases) })
        case .cancel(let leases): .cancel(.with { $0.leases = wire(leases) })
        case .drain: .drain(.init())
        case .alive(let term): .alive(.with { $0.term = UInt32(clamping: term) })
        case .assign: nil
        }
    }

    private static func coordinatorMessage(
        _ kind: Fathom_CoordinatorItem.OneOf_Kind?
    ) throws(MessageError) -> CoordinatorMessage {
        switch kind {
        case nil, .assignments: throw .unknownKind
        case .welcome(let welcome):
            let heartbeat = try ordinal("heartbeat_milliseconds", welcome.heartbeatMilliseconds)
            guard heartbeat > 0 else {
                throw .outOfRange(field: "heartbeat_milliseconds", value: heartbeat)
            }
            guard welcome.artifactPort <= UInt16.max else {
                throw .outOfRange(field: "artifact_port", value: Int(welcome.artifactPort))
            }
            return .welcome(
                Welcome(
                    term: try ordinal("term", welcome.term),
                    leaseMilliseconds: try ordinal("lease_milliseconds", welcome.leaseMilliseconds),
                    heartbeatMilliseconds: heartbeat, artifactPort: Int(welcome.artifactPort)))
        case .refused(let refused): return .refused(reason: try text("reason", refused.reason))
        case .registerAgain: return .registerAgain
        case .acknowledge(let acknowledge): return .acknowledge(try value(acknowledge.leases))
        case .cancel(let cancel): return .cancel(try value(cancel.leases))
        case .drain: return .drain
        case .alive(let alive): return .alive(term: try ordinal("term", alive.term))
        }
    }
}
