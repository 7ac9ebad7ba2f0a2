import Foundation

/// How one golden case came out.
public struct GoldenCase: Codable, Hashable, Sendable {
    /// Whether a case agreed, disagreed, or cannot be computed by this version.
    public enum Status: String, Codable, Hashable, Sendable { case passed, failed, unsupported }

    /// One comparison: the worst error found and what is allowed, in the fixture's measure.
    public struct Check: Codable, Hashable, Sendable {
        public var what: String
        public var error: Double
        public var tolerance: Double

        /// Whether the error is within the tolerance; NaN never is.
        public var passed: Bool { error <= tolerance }
    }

    public var name: String
    public var passed: Bool
    public var status: Status
    /// The worst error over its tolerance; passed up to 1. Not there when nothing was compared.
    public var error: Double?
    public var checks: [Check]
    /// Why a case is unsupported or could not be read.
    public var reason: String?

    init(_ name: String, _ checks: [Check]) {
        self.name = name
        self.checks = checks
        let ratios = checks.map { check in
            check.error.isFinite ? check.error / check.tolerance : .greatestFiniteMagnitude
        }
        let passes = !checks.isEmpty && ratios.allSatisfy { $0 <= 1 }
        passed = passes
        status = passes ? .passed : .failed
        error = ratios.max()
        reason = checks.isEmpty ? "nothing was compared" : nil
    }

    init(_ name: String, unsupported reason: String) {
        self.name = name
        passed = false
        status = .unsupported
        checks = []
        self.reason = reason
    }

    init(_ name: String, unreadable reason: String) {
        self.name = name
        passed = false
        status = .failed
        checks = []
        self.reason = reason
    }
}

/// Holds this build against fixtures made by an independent framework.
public enum GoldenVerification {
    /// What is wrong with a folder of fixtures.
    public enum Failure: Error, CustomStringConvertible {
        case noFixtures(String)
        case unreadable(file: String, reason: String)

        public var description: String {
            switch self {
            case .noFixtures(let folder):
                "\(folder) holds no fixtures; wanted are layers, models, training, sal or ud, "
                    + "each as .json with .safetensors beside it"
            case .unreadable(let file, let reason):
                "\(file) cannot be read as a fixture: \(reason)"
            }
        }
    }

    /// Runs every case of the fixtures in `folder`, handing each over as it is done.
    public static func run(folder: String, each: (GoldenCase) -> Void) throws {
        let suites: [(name: String, cases: (GoldenFolder, (GoldenCase) -> Void) throws -> Void)] = [
            ("layers", GoldenLayers.run), ("models", GoldenModels.run),
            ("training", GoldenTraining.run), ("sal", GoldenSAL.run), ("ud", GoldenUD.run),
        ]
        let files = GoldenFolder(path: folder)
        let present = suites.filter { files.exists($0.name + ".json") }
        guard !present.isEmpty else { throw Failure.noFixtures(folder) }
        for suite in present {
            try suite.cases(files) { one in
                var named = one
                named.name = "\(suite.name)/\(one.name)"
                each(named)
            }
        }
    }
}

/// A folder of fixtures.
struct GoldenFolder {
    let path: String

    func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/" + name)
    }

    func notes<Notes: Decodable>(_ type: Notes.Type, _ name: String) throws -> Notes {
        let file = path + "/" + name + ".json"
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: file))
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw GoldenVerification.Failure.unreadable(file: file, reason: "\(error)")
        }
    }

    func tensors(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(path: path + "/" + name + ".safetensors")
    }
}

/// The measures that fixtures compare by.
enum GoldenMeasure {
    /// max |a - b| / (1 + max |b|); infinite when the counts differ or a number is none.
    static func worst(_ ours: [Float], _ theirs: [Float]) -> Double {
        guard ours.count == theirs.count else { return .infinity }
        var largest = 0.0
        var difference = 0.0
        for (a, b) in zip(ours, theirs) {
            guard a.isFinite else { return .infinity }
            largest = max(largest, Double(abs(b)))
            difference = max(difference, abs(Double(a) - Double(b)))
        }
        return difference / (1 + largest)
    }

    /// |a - b| / (floor + |b|).
    static func relative(_ ours: Double, _ theirs: Double, floor: Double) -> Double {
        ours.isFinite ? abs(ours - theirs) / (floor + abs(theirs)) : .infinity
    }
}
