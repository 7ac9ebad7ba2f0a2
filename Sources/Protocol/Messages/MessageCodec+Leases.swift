import FathomCore
import Foundation
import SwiftProtobuf

// Leases, one and many.

extension MessageCodec {
    static func wire(_ digest: Digest) -> Data {
        Data(digest.bytes)
    }

    static func digest(_ field: String, _ bytes: Data) throws(MessageError) -> Digest {
        guard let digest = Digest(bytes: bytes) else {
            throw .notADigest(field: field, bytes: bytes.count)
        }
        return digest
    }

    static func wire(_ lease: Lease) -> Fathom_Lease {
        .with {
            $0.job = wire(lease.job.digest)
            $0.attempt = UInt32(clamping: lease.attempt)
            $0.term = UInt32(clamping: lease.term)
            $0.firstEntry = UInt32(clamping: lease.entries.lowerBound)
            $0.endEntry = UInt32(clamping: lease.entries.upperBound)
        }
    }

    static func value(_ lease: Fathom_Lease) throws(MessageError) -> Lease {
        Lease(
            job: JobKey(try digest("lease.job", lease.job)),
            attempt: try ordinal("lease.attempt", lease.attempt),
            term: try ordinal("lease.term", lease.term),
            entries: try entries(lease.firstEntry, lease.endEntry))
    }

    private static func entries(
        _ first: UInt32, _ end: UInt32
    ) throws(MessageError) -> Range<Int> {
        guard first < end else { throw .outOfRange(field: "lease.end_entry", value: Int(end)) }
        try check("lease entries", Int(end), MessageLimits.entriesPerJob)
        return Int(first)..<Int(end)
    }

    static func wire(_ leases: [Lease]) -> Fathom_Leases {
        var jobs: [UInt8] = []
        jobs.reserveCapacity(leases.count * Digest.byteCount)
        var numbers: [[UInt32]] = Array(repeating: [], count: 4)
        for column in numbers.indices { numbers[column].reserveCapacity(leases.count) }
        for lease in leases {
            lease.job.digest.append(to: &jobs)
            numbers[0].append(UInt32(clamping: lease.attempt))
            numbers[1].append(UInt32(clamping: lease.term))
            numbers[2].append(UInt32(clamping: lease.entries.lowerBound))
            numbers[3].append(UInt32(clamping: lease.entries.upperBound))
        }
        return .with {
            $0.jobs = Data(jobs)
            $0.attempts = Column.packed(numbers[0])
            $0.terms = Column.packed(numbers[1])
            $0.firstEntries = Column.packed(numbers[2])
            $0.endEntries = Column.packed(numbers[3])
        }
    }

    static func value(_ list: Fathom_Leases) throws(MessageError) -> [Lease] {
        guard let jobs = Digest.all(in: list.jobs) else {
            throw .notADigest(field: "leases.jobs", bytes: list.jobs.count)
        }
        try check("leases", jobs.count, MessageLimits.leasesPerList)
        let attempts = try Column(list.attempts, of: "leases.attempts", count: jobs.count)
        let terms = try Column(list.terms, of: "leases.terms", count: jobs.count)
        let firsts = try Column(list.firstEntries, of: "leases.first_entries", count: jobs.count)
        let ends = try Column(list.endEntries, of: "leases.end_entries", count: jobs.count)
        var leases: [Lease] = []
        leases.reserveCapacity(jobs.count)
        for (place, job) in jobs.enumerated() {
            leases.append(
                Lease(
                    job: JobKey(job), attempt: try ordinal("lease.attempt", attempts[place]),
                    term: try ordinal("lease.term", terms[place]),
                    entries: try entries(firsts[place], ends[place])))
        }
        return leases
    }

    static func wire(_ progress: [LeaseProgress]) -> Fathom_Heartbeat {
        .with {
            $0.leases = wire(progress.map(\.lease))
            $0.shares = Column.packed(progress.map { Float($0.share) })
        }
    }

    static func value(_ beat: Fathom_Heartbeat) throws(MessageError) -> [LeaseProgress] {
        let leases = try value(beat.leases)
        let shares = try Column(beat.shares, of: "heartbeat.shares", count: leases.count)
        return leases.enumerated().map { place, lease in
            let share = Double(shares[place])
            return LeaseProgress(lease: lease, share: share.isFinite ? min(max(share, 0), 1) : 0)
        }
    }
}
