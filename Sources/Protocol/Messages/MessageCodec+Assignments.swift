import FathomCore
import Foundation
import SwiftProtobuf

// Work for many leases in one message.

extension MessageCodec {
    /// One message for as many of the assignments as fit, taken from the front.
    static func takeAssignments(
        _ rest: inout ArraySlice<CoordinatorMessage>
    ) -> Fathom_Assignments {
        var leases: [Lease] = []
        var specs = PlaceList<[UInt8]>()
        var inputs = PlaceList<InputArtifact>()
        var result = Fathom_Assignments()
        while leases.count < outcomesPerMessage, case .assign(let assignment)? = rest.first {
            leases.append(assignment.lease)
            result.specPlaces.append(specs.place(of: assignment.spec))
            result.inputCounts.append(UInt32(clamping: assignment.inputs.count))
            for input in assignment.inputs { result.inputPlaces.append(inputs.place(of: input)) }
            rest = rest.dropFirst()
        }
        result.leases = wire(leases)
        result.specPlaces = Column.packed(result.specPlaces)
        result.inputCounts = Column.packed(result.inputCounts)
        result.specs = specs.values.map { Data($0) }
        result.inputs = inputs.values.map { input in
            .with {
                $0.job = wire(input.job.digest)
                $0.artifact = wire(input.artifact)
            }
        }
        return result
    }

    static func value(
        _ list: Fathom_Assignments, budget: inout FrameBudget
    ) throws(MessageError) -> [CoordinatorMessage] {
        let leases = try value(list.leases)
        try budget.spend(leases: leases.count)
        let specPlaces = try Column(
            list.specPlaces, of: "assignments.spec_places", count: leases.count)
        let counts = try Column(
            list.inputCounts, of: "assignments.input_counts", count: leases.count)
        var specs: [[UInt8]] = []
        specs.reserveCapacity(list.specs.count)
        for spec in list.specs {
            try check("assignments.specs", spec.count, MessageLimits.specBytes)
            specs.append(Array(spec))
        }
        var inputs: [InputArtifact] = []
        for input in list.inputs {
            inputs.append(
                InputArtifact(
                    job: JobKey(try digest("input.job", input.job)),
                    artifact: try value(input.artifact)))
        }
        var messages: [CoordinatorMessage] = []
        messages.reserveCapacity(leases.count)
        var next = 0
        for (place, lease) in leases.enumerated() {
            let count = Int(counts[place])
            try check("assignment.inputs", count, MessageLimits.artifactsPerJob)
            guard next + count <= list.inputPlaces.count else {
                throw .outOfRange(field: "assignments.input_places", value: next + count)
            }
            let own = try read(list.inputPlaces[next..<next + count], of: inputs)
            next += count
            guard specPlaces[place] < specs.count else {
                throw .outOfRange(
                    field: "assignments.spec_places", value: Int(specPlaces[place]))
            }
            messages.append(
                .assign(
                    Assignment(
                        lease: lease, spec: specs[Int(specPlaces[place])], inputs: own)))
        }
        return messages
    }

    private static func read(
        _ places: ArraySlice<UInt32>, of inputs: [InputArtifact]
    ) throws(MessageError) -> [InputArtifact] {
        guard !places.isEmpty else { return [] }
        var own: [InputArtifact] = []
        for place in places {
            guard place < inputs.count else {
                throw .outOfRange(field: "assignments.input_places", value: Int(place))
            }
            own.append(inputs[Int(place)])
        }
        return own
    }

    static func wire(_ artifact: ArtifactReference) -> Fathom_Artifact {
        .with {
            $0.name = artifact.name
            $0.digest = wire(artifact.digest)
            $0.bytes = UInt64(clamping: artifact.bytes)
        }
    }

    static func value(_ artifact: Fathom_Artifact) throws(MessageError) -> ArtifactReference {
        ArtifactReference(
            name: try word("artifact.name", artifact.name),
            digest: try digest("artifact.digest", artifact.digest),
            bytes: try ordinal("artifact.bytes", artifact.bytes))
    }
}

/// Values of a frame, each once, in the order in which they were first named.
private struct PlaceList<Value: Hashable> {
    private(set) var values: [Value] = []
    private var places: [Value: UInt32] = [:]

    mutating func place(of value: Value) -> UInt32 {
        if let place = places[value] { return place }
        let place = UInt32(clamping: values.count)
        values.append(value)
        places[value] = place
        return place
    }
}
