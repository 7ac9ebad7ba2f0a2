import ArgumentParser
import FathomCore
import Foundation

/// How the commands of the compute core print.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// Holds this build, on this machine, against golden fixtures.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check this build against fixtures made by PyTorch.",
        discussion: """
            Reads NAME.json and NAME.safetensors (layers, training, sal, ud) and models.json from \
            a folder, computes every case, and prints the worst error over its tolerance: 1 is \
            the limit. Exit status 1 when a case fails or is not supported.
            """)

    @Argument(help: "A folder of fixtures, such as Tests/Fixtures/golden.")
    var folder: String

    @Option(help: "table or json.")
    var format = ReportFormat.table

    @Flag(help: "Cases that this version cannot compute are no failure.")
    var allowUnsupported = false

    func run() throws {
        NumericClass.enterSlot()
        var cases: [GoldenCase] = []
        do {
            try GoldenVerification.run(folder: folder) { one in
                cases.append(one)
                if format == .table { print(line(one)) }
            }
        } catch let error as GoldenVerification.Failure {
            Failure.say("\(error)")
            throw ExitStatus.usage
        }
        if format == .json { try printJSON(["cases": cases]) }
        let failed = cases.count { $0.status == .failed }
        let unsupported = cases.count { $0.status == .unsupported }
        if format == .table {
            let passed = cases.count - failed - unsupported
            print("\(passed) passed, \(failed) failed, \(unsupported) not supported")
        }
        if failed > 0 || (unsupported > 0 && !allowUnsupported) { throw ExitStatus.unfinishedJobs }
    }

    private func line(_ one: GoldenCase) -> String {
        let status = one.status.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
        let name = one.name.padding(toLength: 42, withPad: " ", startingAt: 0)
        let worst = one.error.map { String(format: "%9.2e of what is allowed", $0) }
        return "\(status)\(name) \(worst ?? "")\(one.reason.map { " " + $0 } ?? "")"
    }
}

/// Prints a value as JSON, keys sorted.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
