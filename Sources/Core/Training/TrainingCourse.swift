/// A stretch of a training with images of its own: the paper's fine-tune mode learns clean images
/// first, and poisoned ones then.
public struct TrainingPhase: Codable, Hashable, Sendable {
    public enum Source: String, Codable, Hashable, Sendable, CaseIterable {
        /// As they were before the method.
        case clean
        /// As the method released them.
        case poison
    }

    /// Which images, by where they stand in the whole data set; so that a clean image and its
    /// perturbed twin are always in the same share, whatever subset is trained on.
    public enum Share: String, Codable, Hashable, Sendable, CaseIterable {
        case all
        case firstHalf = "first-half"
        case secondHalf = "second-half"
    }

    public var epochs: Int
    public var data: Source
    public var images: Share

    public init(epochs: Int, data: Source, images: Share = .all) {
        self.epochs = epochs
        self.data = data
        self.images = images
    }
}

extension TrainingPhase.Share {
    /// The positions in a subset of the images that are meant.
    ///
    /// - Parameters:
    ///   - indices: Where each image stands in the whole set.
    ///   - setCount: How many images the whole set has.
    public func positions(of indices: [Int], setCount: Int) -> [Int] {
        let half = setCount / 2
        return indices.indices.filter { place in
            switch self {
            case .all: true
            case .firstHalf: indices[place] < half
            case .secondHalf: indices[place] >= half
            }
        }
    }
}

/// The weights that a training starts from instead of fresh ones.
public struct TrainingStart: Codable, Hashable, Sendable {
    public enum Part: String, Codable, Hashable, Sendable, CaseIterable {
        /// Every number of the network.
        case network
        /// All but the heads, which start fresh.
        case backbone
    }

    /// The checkpoint: a path as a manifest names it, and the digest of its bytes in jobs.
    public var checkpoint: String
    public var part: Part
    /// Whether the backbone stays as it is, running statistics included, and heads alone learn.
    public var frozen: Bool

    public init(checkpoint: String, part: Part = .network, frozen: Bool = false) {
        self.checkpoint = checkpoint
        self.part = part
        self.frozen = frozen
    }
}

extension TrainingSettings {
    /// Which phase an epoch, counted from 1, belongs to; `nil` without phases.
    public func phase(ofEpoch epoch: Int) -> TrainingPhase? {
        var last = 0
        return phases?.first { phase in
            last += phase.epochs
            return epoch <= last
        }
    }

    /// The epochs after which another phase begins, and the last one; rising.
    public var phaseEnds: [Int] {
        var last = 0
        return (phases ?? []).map { phase in
            last += phase.epochs
            return last
        }
    }
}
