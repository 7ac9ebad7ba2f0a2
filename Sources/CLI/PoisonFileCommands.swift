public import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import FathomWorker
import Foundation

extension ExternalSettings.Application: ExpressibleByArgument {}
extension ExternalSettings.Sign: ExpressibleByArgument {}
extension ExternalSettings.Rounding: ExpressibleByArgument {}
extension PoisonExport.Form: ExpressibleByArgument {}

/// Checks a poison and writes it in our own form.
struct PoisonImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Check a poison made elsewhere, and say what it is.",
        discussion: """
            SOURCE is a folder of PNG files called 0.png, 1.png and so on by their index in the \
            clean training set, or an .npy, .npz or .pt file. A sweep can name SOURCE itself, or \
            the folder written here: methods: [clean, { name: mine, kind: external, path: ... }].
            """)

    @Argument(help: "The folder or file.")
    var source: String

    @Option(help: "The data set whose training images it is for.")
    var dataSet: String

    @Option(
        help: "The folder to write delta.npy and poison.json to; by default nothing is written.")
    var to: String?

    @Option(help: "What it is called.")
    var name = "imported"

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Option(help: "auto, replace or add: what numbers do to images.")
    var apply = ExternalSettings.Application.auto

    @Option(help: "both or positive: whether negative perturbations count.")
    var sign = ExternalSettings.Sign.both

    @Option(help: "nearest or truncate: how fractions become bytes.")
    var rounding = ExternalSettings.Rounding.nearest

    @Option(help: "Which array, of a file with several.")
    var array: String?

    @Flag(help: "Leave images clean that the source lacks.")
    var allowPartial = false

    func run() throws {
        let set = try DataSetLibrary().open(name: dataSet, folder: data)
        let clean = try set.train
        let poison = try ExternalPoison(
            path: source, on: clean,
            settings: ExternalSettings(
                application: apply, sign: sign, rounding: rounding, array: array,
                allowsPartial: allowPartial))
        if let to {
            let card = PoisonExport.Card(
                name: name, dataSet: dataSet, cleanDigest: set.facts.digest, source: source,
                numbers: poison.numbers, words: poison.words)
            try PoisonExport(clean: clean, poison: poison).write(.folder, to: to, card: card)
        }
        for (key, value) in poison.numbers.sorted(by: { $0.key < $1.key }) {
            print("\(key) \(String(format: "%.6g", value))")
        }
        for (key, value) in poison.words.sorted(by: { $0.key < $1.key }) {
            print("\(key) \(value)")
        }
    }
}

/// Writes the images of a poison job for other programs.
struct PoisonExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a poison of a store for other programs.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The poison job's key, or its first digits.")
    var job: String

    @Option(help: "The file or folder to write.")
    var to: String

    @Option(help: "folder, png, npy, npz or pt.")
    var form = PoisonExport.Form.folder

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Option(help: "The artifact folder; by default the one beside the store.")
    var shared: String?

    func run() throws {
        let (key, spec, artifact) = try found()
        let (clean, poisoned) = try PoisonReading.images(
            spec, artifact: artifact, dataFolder: data)
        guard zip(poisoned.labels, poisoned.indices).allSatisfy({ clean.labels[$1] == $0 }) else {
            throw InputError(
                description: "job \(key) changes labels, which these forms do not carry")
        }
        let poison = ExternalPoison(from: clean, to: poisoned)
        let card = PoisonExport.Card(
            name: spec.method.name, dataSet: spec.data.settings.set,
            cleanDigest: spec.data.digest, source: "job \(key), seed \(spec.seed)",
            numbers: poison.numbers.merging(spec.method.numbers) { own, _ in own },
            words: spec.method.words)
        try PoisonExport(clean: clean, poison: poison).write(form, to: to, card: card)
        print("\(to): \(poisoned.count) of \(clean.count) images")
    }

    private func found() throws -> (key: String, spec: PoisonSpec, artifact: String) {
        guard !job.isEmpty, job.count <= 64, job.allSatisfy(\.isHexDigit) else {
            throw InputError(
                description: "JOB is \(job); it is a key of up to 64 hexadecimal digits")
        }
        let rows = try Store.openReadOnly(path: store).query(
            "SELECT j.key, j.spec, a.digest FROM job j JOIN artifact a ON a.job = j.id "
                + "WHERE j.kind = 'poison' AND a.name = 'poison' "
                + "AND j.key LIKE '\(job.lowercased())%'", limit: 2
        ).rows
        guard rows.count == 1, let digest = Digest(hex: rows[0][2].text) else {
            throw InputError(
                description:
                    "\(rows.count > 1 ? "several" : "no") finished poison jobs of \(store) "
                    + "begin with \(job); fathom query shows those there are")
        }
        let spec = try JSONDecoder().decode(JobSpec.self, from: Data(rows[0][1].text.utf8))
        guard case .poison(let poison) = spec.body else {
            throw InputError(description: "job \(job) is no poison")
        }
        let folder = ArtifactFolder(path: shared ?? store + ".artifacts")
        guard folder.isSound(digest) else {
            throw InputError(
                description:
                    "\(folder.file(digest)) is missing or damaged; `fathom forget` has the "
                    + "job made again")
        }
        return (rows[0][0].text, poison, folder.file(digest))
    }
}
