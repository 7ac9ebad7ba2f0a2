import FathomCore
import Foundation
import SwiftProtobuf

/// A job's specification as it travels to slots. Agents pass it on without a look at it.
public enum JobSpecCodec {
    /// Encodes a specification: probes in a few bytes, because there may be a hundred thousand of
    /// them a second, all others in their canonical encoding.
    public static func encode(_ spec: JobSpec) -> [UInt8] {
        var wire = Fathom_Spec()
        if case .probe(let probe) = spec.body,
            let place = ProbeSpec.Conduct.allCases.firstIndex(of: probe.conduct)
        {
            wire.probe = .with {
                $0.number = UInt64(clamping: probe.number)
                $0.conduct = UInt32(place)
                $0.revision = UInt32(clamping: spec.revision)
            }
        } else {
            wire.canonical = spec.canonical
        }
        do {
            return try wire.serializedBytes()
        } catch {
            preconditionFailure("a message without required fields must be encodable: \(error)")
        }
    }

    /// Decodes a specification. Whatever bytes arrive, it answers or throws.
    public static func decode(_ bytes: [UInt8]) throws(MessageError) -> JobSpec {
        let wire: Fathom_Spec
        do {
            wire = try Fathom_Spec(serializedBytes: bytes)
        } catch {
            throw .malformed
        }
        switch wire.body {
        case nil: throw .missing(field: "spec.body")
        case .probe(let probe):
            let conducts = ProbeSpec.Conduct.allCases
            guard probe.conduct < conducts.count else {
                throw .outOfRange(field: "probe.conduct", value: Int(probe.conduct))
            }
            let number = try MessageCodec.ordinal("probe.number", probe.number)
            return JobSpec(
                .probe(ProbeSpec(number: number, conduct: conducts[Int(probe.conduct)])),
                revision: try MessageCodec.ordinal("probe.revision", probe.revision))
        case .canonical(let text):
            do {
                return try JSONDecoder().decode(JobSpec.self, from: text)
            } catch {
                throw .specification(reason: String(describing: error))
            }
        }
    }
}
