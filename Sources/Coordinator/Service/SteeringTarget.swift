import FathomCore
public import FathomProtocol
import Foundation

/// What a user named to be steered: a job, a cell or the sweep.
public struct SteeringTarget: Sendable {
    private let text: String
    private let sweep: String
    private let states: String

    /// - Parameters:
    ///   - text: A job's key, a cell's label, the first digits of one, or the sweep's name.
    ///   - sweep: The sweep's name.
    ///   - states: The states in which a job is meant, as SQL.
    public init(text: String, sweep: String, states: String) {
        self.text = text
        self.sweep = sweep
        self.states = states
    }

    /// Nothing of that name can be steered.
    public struct NotFound: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// The jobs that are meant; at least one.
    public func jobs(in reader: StoreReader) throws -> [JobKey] {
        let quoted = Self.quoted(text)
        let ofSweep = """
            SELECT j.key FROM job j JOIN sweepJob sj ON sj.job = j.id JOIN sweep s
              ON s.id = sj.sweep WHERE s.name = \(Self.quoted(sweep)) AND j.state IN (\(states))
            """
        let isKey = text.count >= 6 && text.count <= 64 && text.allSatisfy(\.isHexDigit)
        func ofCell(_ condition: String) -> String {
            "\(ofSweep) AND j.id IN (\(Self.cellJobs(condition))) "
                + "AND j.id NOT IN (\(Self.cellJobs("NOT \(condition)")))"
        }
        let begins = "GLOB '\(text.lowercased())*'"
        let tries = [
            text == sweep ? ofSweep : nil, ofCell("c.label = \(quoted)"),
            isKey ? "\(ofSweep) AND j.key \(begins)" : nil,
            isKey ? ofCell("c.label \(begins)") : nil,
        ]
        for query in tries.compactMap({ $0 }) {
            let keys = try reader.query(query + " ORDER BY sj.position", limit: .max).rows
                .compactMap { $0.first.flatMap { Digest(hex: $0.text) }.map { JobKey($0) } }
            if !keys.isEmpty { return keys }
        }
        throw NotFound(
            description:
                "TARGET is \(text): no job, cell or sweep of that name has jobs in the state "
                + "\(states.replacingOccurrences(of: "'", with: "")); `fathom status` lists them")
    }

    /// The jobs that runs of cells need; those that other cells need too are left to them.
    private static func cellJobs(_ condition: String) -> String {
        """
        SELECT rj.job FROM cell c JOIN run r ON r.cell = c.id JOIN runJob rj ON rj.run = r.id
          WHERE c.hidden = 0 AND r.hidden = 0 AND \(condition)
        """
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
}
