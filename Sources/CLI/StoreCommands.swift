import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Copies a store, whether a coordinator writes it or not.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy a store, also while a sweep runs.",
        discussion: "The copy is one whole, checked file. Artifacts are not in it.")

    @Argument(help: "The store.")
    var store: String

    @Option(help: "The file to make; it must not exist.")
    var out: String

    func run() throws {
        let bytes = try Store.openReadOnly(path: store).backUp(to: out)
        print("\(out): \(ByteText.of(bytes)), checked")
    }
}

/// Looks at the machine, and at a store.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check this machine, and a store.",
        discussion: "Exit status 1 when something is wrong, with what would help.")

    @Option(help: "A store to check: integrity, references, version, who writes it, room.")
    var db: String?

    @Flag(help: "Read every artifact of the store and compare it with its digest.")
    var artifacts = false

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        if artifacts && db == nil {
            throw ValidationError("--artifacts belongs to a store; name it with --db")
        }
    }

    func run() throws {
        var findings = MachineDoctor.findings(folder: db.map(Self.folder) ?? ".")
        if let db {
            let check = try StoreCheck(path: db)
            findings += Self.findings(of: check, store: db)
            if artifacts {
                findings.append(
                    Self.artifacts(check.artifacts, in: ArtifactFolder(path: db + ".artifacts")))
            }
        }
        switch format {
        case .json: try printJSON(["checks": findings])
        case .table:
            for finding in findings {
                print("\(finding.status.rawValue)\t\(finding.what): \(finding.found)")
            }
        }
        guard findings.allSatisfy({ $0.status != .wrong }) else {
            throw ExitStatus.unfinishedJobs
        }
    }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    private static func findings(of check: StoreCheck, store: String) -> [Finding] {
        var list: [Finding] = []
        let isCurrent = check.schemaVersion == check.schemaSupported
        list.append(
            Finding(
                "store", isCurrent ? .fine : .notable,
                "schema version \(check.schemaVersion), \(check.jobs) jobs, "
                    + "\(ByteText.of(check.fileBytes)) and a log of "
                    + ByteText.of(check.logBytes)
                    + (isCurrent
                        ? ""
                        : "; this program writes version \(check.schemaSupported) and migrates it "
                            + "when it opens it for writing")))
        list.append(
            Finding(
                "writer", .fine,
                check.writer.map { "process \($0) writes it" } ?? "nobody writes it"))
        if let kind = check.networkFileSystem {
            list.append(
                Finding(
                    "store's file system", .wrong,
                    "\(kind), a network file system; move the store to a local disk"))
        }
        list.append(
            check.problems.isEmpty
                ? Finding("integrity", .fine, "no damage, no broken references")
                : Finding(
                    "integrity", .wrong,
                    check.problems.prefix(5).joined(separator: "; ")
                        + "; restore a backup, or rescue rows with `sqlite3 \(store) .recover`"))
        return list
    }

    private static func artifacts(_ digests: [Digest], in folder: ArtifactFolder) -> Finding {
        var missing = 0
        var damaged: [String] = []
        for digest in digests {
            let file = folder.file(digest)
            if folder.size(of: digest) == nil {
                missing += 1
            } else if (try? Digest(ofFile: file)) != digest {
                damaged.append(file)
            }
        }
        let counts = "\(digests.count) named, \(missing) not here, \(damaged.count) damaged"
        guard damaged.isEmpty else {
            return Finding(
                "artifacts", .wrong,
                "\(counts): \(damaged.prefix(3).joined(separator: ", ")); remove them, and they "
                    + "are made again")
        }
        // Those of earlier epochs are thrown away on purpose.
        return Finding("artifacts", .fine, counts)
    }
}
