import FathomCore
import Foundation
import SwiftProtobuf

// MARK: Checks

extension MessageCodec {
    static func check(_ field: String, _ count: Int, _ limit: Int) throws(MessageError) {
        guard count <= limit else { throw .tooLong(field: field, count: count, limit: limit) }
    }

    static func word(_ field: String, _ word: String) throws(MessageError) -> String {
        try check(field, word.utf8.count, MessageLimits.wordBytes)
        return word
    }

    static func text(_ field: String, _ text: String) throws(MessageError) -> String {
        try check(field, text.utf8.count, MessageLimits.textBytes)
        return text
    }

    static func ordinal(_ field: String, _ number: UInt32) throws(MessageError) -> Int {
        guard number <= MessageLimits.ordinal else {
            throw .outOfRange(field: field, value: Int(number))
        }
        return Int(number)
    }

    static func ordinal(_ field: String, _ number: UInt64) throws(MessageError) -> Int {
        guard let value = Int(exactly: number) else {
            throw .outOfRange(field: field, value: Int.max)
        }
        return value
    }

    /// What fits of a text that we send, whole characters only.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > MessageLimits.textBytes else { return text }
        // Four bytes is the longest a scalar gets, so this many fit whatever they are.
        let scalars = text.unicodeScalars.prefix(MessageLimits.textBytes / 4)
        return String(String.UnicodeScalarView(scalars))
    }
}

// MARK: Hello, failure

extension MessageCodec {
    static func wire(_ hello: Hello) -> Fathom_Hello {
        .with {
            $0.protocolMin = UInt32(clamping: hello.protocolVersions.lowerBound)
            $0.protocolMax = UInt32(clamping: hello.protocolVersions.upperBound)
            $0.host = hello.facts.host
            $0.processID = UInt64(clamping: hello.facts.processID)
            $0.slots = UInt32(clamping: hello.facts.slots)
            $0.build = hello.facts.build
            $0.numericClass = hello.facts.numericClass
            $0.runners = hello.facts.runners.map(wire)
            $0.tags = hello.facts.tags
            $0.held = wire(hello.held)
            $0.unacknowledged = wire(hello.unacknowledged)
            if let seconds = hello.secondsLeft { $0.secondsLeft = seconds }
        }
    }

    static func value(_ hello: Fathom_Hello) throws(MessageError) -> Hello {
        guard hello.protocolMin <= hello.protocolMax else {
            throw .outOfRange(field: "hello.protocol_max", value: Int(hello.protocolMax))
        }
        guard hello.slots >= 1, hello.slots <= MessageLimits.slotsPerWorker else {
            throw .outOfRange(field: "hello.slots", value: Int(hello.slots))
        }
        let facts = WorkerFacts(
            host: try word("hello.host", hello.host),
            processID: try ordinal("hello.process_id", hello.processID),
            slots: Int(hello.slots), build: try word("hello.build", hello.build),
            numericClass: try word("hello.numeric_class", hello.numericClass),
            runners: try runners(hello.runners), tags: try tags(hello.tags))
        return Hello(
            protocolVersions: Int(hello.protocolMin)...Int(hello.protocolMax), facts: facts,
            held: try value(hello.held), unacknowledged: try value(hello.unacknowledged),
            secondsLeft: hello.hasSecondsLeft ? try seconds(hello.secondsLeft) : nil)
    }

    private static func seconds(_ seconds: Double) throws(MessageError) -> Double {
        guard seconds >= 0, seconds <= MessageLimits.secondsLeft else {
            throw .outOfRange(
                field: "hello.seconds_left", value: Int(exactly: seconds.rounded()) ?? .max)
        }
        return seconds
    }

    static func wire(_ failure: AttemptFailure) -> Fathom_Failure {
        .with {
            $0.lease = wire(failure.lease)
            switch failure.reason {
            case .error: $0.reason = .error
            case .slotDeath: $0.reason = .slotDeath
            case .inputLost(let digest):
                $0.reason = .inputLost
                $0.input = wire(digest)
            case .dataLacking: $0.reason = .dataLacking
            }
            $0.error = cut(failure.error)
            $0.logTail = cut(failure.logTail)
        }
    }

    static func value(_ failure: Fathom_Failure) throws(MessageError) -> AttemptFailure {
        let reason: AttemptFailure.Reason
        switch failure.reason {
        case .error: reason = .error
        case .slotDeath: reason = .slotDeath
        case .inputLost: reason = .inputLost(try digest("failure.input", failure.input))
        case .dataLacking: reason = .dataLacking
        case .unspecified, .UNRECOGNIZED: throw .missing(field: "failure.reason")
        }
        return AttemptFailure(
            lease: try value(failure.lease), reason: reason,
            error: try text("failure.error", failure.error),
            logTail: try text("failure.log_tail", failure.logTail))
    }
}
