import Foundation

/// What a decoded Taskonomy set consists of: the one file that the set's digest is taken of. All
/// other files of the cache are checked against the digests in it when they are read.
struct TaskonomyIndex: Codable, Hashable {
    struct Part: Codable, Hashable {
        /// The class of every image.
        var labels: [Int32]
        /// The digest of every shard, by domain.
        var shards: [String: [Digest]]
    }

    var version: Int
    var side: Int
    var domains: [TaskonomyDomain]
    var classCount: Int
    /// The classes that are told apart, by their number in the class files.
    var kept: [Int]
    /// How many classes with few training images became one.
    var mergedCount: Int
    var gaps: [TaskonomyGap]
    /// Buildings of the split that no domain has.
    var missingBuildings: [String]
    var train: Part
    var test: Part

    static let version = 1
    static let fileName = "index.json"
    /// Images a shard.
    static let shardImages = 256
    private static let imagesMax = 10_000_000

    func part(_ part: DataSet.Part) -> Part { part == .train ? train : test }

    var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            preconditionFailure("an index must be encodable: \(error)")
        }
    }

    /// Decodes and checks an index; `file` is what errors call it.
    init(decoding bytes: [UInt8], file: String) throws(DataError) {
        do {
            self = try JSONDecoder().decode(TaskonomyIndex.self, from: Data(bytes))
        } catch {
            throw .malformed(
                file: file, offset: 0, expected: "the index of a decoded Taskonomy set",
                found: "something else; delete its folder, and it is made again")
        }
        if let problem {
            throw .malformed(
                file: file, offset: 0, expected: "an index that agrees with itself",
                found: "\(problem); delete its folder, and it is made again")
        }
    }

    init(
        side: Int, domains: [TaskonomyDomain], classes: TaskonomyClasses, gaps: [TaskonomyGap],
        missingBuildings: [String], train: Part, test: Part
    ) {
        version = Self.version
        self.side = side
        self.domains = domains
        classCount = classes.count
        kept = classes.kept
        mergedCount = classes.mergedCount
        self.gaps = gaps
        self.missingBuildings = missingBuildings
        self.train = train
        self.test = test
    }

    private var problem: String? {
        guard version == Self.version else { return "version \(version)" }
        guard (8...512).contains(side) else { return "side \(side)" }
        guard domains.contains(.rgb), Set(domains).count == domains.count else {
            return "domains \(domains.map(\.rawValue))"
        }
        guard (1...1_001).contains(classCount) else { return "\(classCount) classes" }
        for part in [train, test] {
            guard (1...Self.imagesMax).contains(part.labels.count) else {
                return "\(part.labels.count) images"
            }
            guard part.labels.allSatisfy({ (0..<Int32(classCount)).contains($0) }) else {
                return "a class beyond \(classCount)"
            }
            let count = (part.labels.count + Self.shardImages - 1) / Self.shardImages
            guard domains.allSatisfy({ part.shards[$0.rawValue]?.count == count }) else {
                return "shards for other than \(part.labels.count) images"
            }
        }
        return nil
    }

    /// The file of a shard in the cache's folder.
    static func shardName(_ domain: TaskonomyDomain, _ part: DataSet.Part, _ number: Int) -> String
    {
        "\(part.rawValue)-\(domain.rawValue)-\(number).npy"
    }

    /// What plans and lists say of the set.
    var notes: [String] {
        var notes: [String] = []
        if !missingBuildings.isEmpty {
            notes.append("buildings of the split that are not here: " + told(missingBuildings))
        }
        if !gaps.isEmpty {
            notes.append("left out for want of a file: " + told(gaps.map(\.description)))
        }
        if mergedCount > 0 {
            notes.append(
                "\(mergedCount) classes with few training images are one, \"other\" (the last)")
        }
        return notes
    }

    private func told(_ items: [String]) -> String {
        let rest = items.count - 20
        return items.prefix(20).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }

    /// The tasks that the set's domains answer.
    var mapTasks: [TaskKind] {
        let answers: [(TaskKind, TaskonomyDomain)] = [
            (.sem, .semantic), (.seg2d, .segments2D), (.depth, .depthEuclidean),
            (.normal, .normal), (.reshade, .reshading), (.curv, .curvature),
        ]
        return answers.filter { domains.contains($0.1) }.map(\.0)
    }
}
