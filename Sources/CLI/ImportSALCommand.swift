import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Takes in SAL values that were measured elsewhere.
struct ImportSALCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-sal", abstract: "Take SAL values measured elsewhere into a store.",
        discussion: """
            Reads CSV files with one row a method, seed, epoch and layer. Their columns are \
            method, seed, epoch, layer, sal and originLoss (the loss that the walks start from), \
            and where known sMax, sMin, weightCount, weightNorm and testAccuracy. Layers stand in \
            their order in the network; sal is empty or nan where there was none. Reads as well \
            the output.log of the program that the paper's authors released, one run a log, whose \
            method and seed are what it says of itself.

            The runs join the leaderboard as cells whose network is called \
            NETWORK@imported/elsewhere, with their own clean runs (method clean) for baseline.
            """)

    @Argument(help: "CSV files, or logs of the released program.")
    var files: [String]

    @Option(help: "The store; it is made where there is none.")
    var db: String

    @Option(help: "The sweep in the store that the runs join; it is made where there is none.")
    var sweep = "imported"

    @Option(help: "The method of logs that do not say it, or call it otherwise.")
    var method: String?

    @Option(help: "The seed of logs that do not say it.")
    var seed: Int?

    @Option(help: "The network they were measured of, such as resnet18.")
    var model: String

    @Option(help: "Its base width, where it matters.")
    var width: Int?

    @Option(help: "The data set, such as cifar10.")
    var dataSet: String

    @Option(help: "How many classes it has; the accuracy of chance is one over it.")
    var classes = 10

    @Option(help: "The task.")
    var task = "cls"

    @Option(help: "The defense that the victims trained with.")
    var defense = "none"

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    func validate() throws {
        guard (2...1_000_000).contains(classes) else {
            throw ValidationError("--classes is \(classes); it takes 2 to 1000000")
        }
        guard TaskSettings(text: task) != nil else {
            throw ValidationError("--task is \(task); it takes a task such as cls")
        }
        if let seed, !(0...ImportedSAL.seedMax).contains(seed) {
            throw ValidationError("--seed is \(seed); it takes 0 to \(ImportedSAL.seedMax)")
        }
        let names = [("model", model), ("sweep", sweep), ("data-set", dataSet)]
        for (name, text) in names + (method.map { [("method", $0)] } ?? [])
        where text.isEmpty || text.utf8.count > Limits.nameCharacters {
            throw ValidationError(
                "--\(name) is \(text); it takes 1 to \(Limits.nameCharacters) letters")
        }
    }

    func run() throws {
        let values = try read()
        let store = try Store(path: db)
        let (id, runs) = try store.importSAL(
            values,
            ImportedSAL.Setting(
                sweep: sweep, dataSet: dataSet, classes: classes, task: task,
                model: ModelSettings(name: model, width: width), defense: defense))
        Failure.say("\(runs) runs are in \(db), sweep \(sweep)")
        try SweepEnd.show(store, id, format: format)
        try store.checkpointAndClose()
    }

    private func read() throws -> ImportedSAL {
        let parts = try files.map { file in
            guard let data = FileManager.default.contents(atPath: file) else {
                throw InputError(description: "cannot read \(file)")
            }
            guard data.count <= Self.bytesMax else {
                throw InputError(
                    description: "\(file) has \(data.count) bytes; \(Self.bytesMax) are allowed")
            }
            let text = String(decoding: data, as: UTF8.self)
            do {
                return try ImportedSAL.isLog(text)
                    ? ImportedSAL(log: text, method: method, seed: seed) : ImportedSAL(csv: text)
            } catch {
                throw InputError(description: "\(file): \(error)")
            }
        }
        do {
            return try ImportedSAL(joining: parts)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    private static let bytesMax = 256 << 20
}
