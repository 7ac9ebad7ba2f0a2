import FathomCore
import SwiftProtobuf

// What workers say of the programs they may start.

extension MessageCodec {
    static func wire(_ offer: RunnerOffer) -> Fathom_Runner {
        .with {
            $0.name = offer.name
            $0.revision = UInt32(clamping: offer.revision)
            $0.device = offer.device
            $0.kinds = offer.kinds.map(\.rawValue)
            $0.tolerance = offer.tolerance
        }
    }

    static func runners(_ list: [Fathom_Runner]) throws(MessageError) -> [RunnerOffer] {
        try check("hello.runners", list.count, MessageLimits.runnersPerWorker)
        var offers: [RunnerOffer] = []
        for runner in list {
            try check("runner.kinds", runner.kinds.count, MessageLimits.runnersPerWorker)
            guard RunnerOffer.isWord(runner.name), RunnerOffer.isWord(runner.device) else {
                throw .missing(field: "runner.name")
            }
            // A kind of a later version is none of ours.
            let kinds = runner.kinds.compactMap { RunnerReference.Kind(rawValue: $0) }
            let isNumber = runner.tolerance.isFinite && runner.tolerance >= 0
            offers.append(
                RunnerOffer(
                    name: runner.name, revision: try ordinal("runner.revision", runner.revision),
                    device: runner.device, kinds: kinds,
                    tolerance: isNumber ? runner.tolerance : 0))
        }
        return offers
    }

    static func tags(_ list: [String]) throws(MessageError) -> [String] {
        try check("hello.tags", list.count, MessageLimits.runnersPerWorker)
        var tags: [String] = []
        for tag in list {
            let text = try word("hello.tags", tag)
            guard WorkerTags.isTag(text) else { throw .missing(field: "hello.tags") }
            tags.append(text)
        }
        return tags
    }
}
