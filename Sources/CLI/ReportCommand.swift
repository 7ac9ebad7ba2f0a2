import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import FathomWorker
import Foundation

/// One page of results.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a sweep's results as one HTML page.",
        discussion: """
            The page stands alone: it opens from disk, asks for nothing from the network, and holds \
            the data behind its figures. It may be made while the sweep runs. Images of poisons are \
            shown where the store's artifact folder and the data set are at hand.
            """)

    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Option(help: "The file to write.")
    var out = "report.html"

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "At most this many runs have a heat map of their own.")
    var runs = 48

    @Option(help: "How many images of each poison are shown; 0 for none.")
    var images = 6

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Option(help: "The artifact folder; by default the one beside the store.")
    var shared: String?

    func validate() throws {
        guard (0...1_000).contains(runs) else {
            throw ValidationError("--runs is \(runs); it is 0 to 1000")
        }
        guard (0...10).contains(images) else {
            throw ValidationError("--images is \(images); it is 0 to 10")
        }
    }

    func run() throws {
        let reader = try Store.openReadOnly(path: store)
        let id = try reader.sweep(named: sweep)
        let limits = ReportLimits(runs: runs)
        let page = ReportPage(
            try reader.report(of: id, limits: limits),
            gallery: try gallery(reader, id, limit: limits.galleryMethods), limits: limits,
            origin: .init(program: "Fathom \(Product.version)", time: ReportCommand.now))
        let html = page.html
        try AtomicFile.write(Array(html.utf8), to: out)
        print(out)
    }

    private static var now: String {
        let format = ISO8601DateFormatter()
        return format.string(from: Date()).replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    private func gallery(
        _ reader: StoreReader, _ sweep: SweepID, limit: Int
    ) throws -> ReportGallery {
        guard images > 0 else { return ReportGallery() }
        let (poisons, count) = try reader.poisons(of: sweep, limit: limit)
        let folder = ArtifactFolder(path: shared ?? store + ".artifacts")
        let samples = PoisonSamples(dataFolder: data)
        return ReportGallery(
            poisons.map { entry($0, folder, samples) }, hiddenCount: count - poisons.count)
    }

    /// The poison's images, or why there are none: a report does without.
    private func entry(
        _ poison: StoredPoison, _ folder: ArtifactFolder, _ samples: PoisonSamples
    ) -> ReportGallery.Entry {
        var entry = ReportGallery.Entry(
            method: poison.method, dataSet: poison.dataSet, seed: poison.seed)
        guard let digest = poison.artifact else {
            entry.problem = "This poison has not been made yet."
            return entry
        }
        let file = folder.file(digest)
        guard FileManager.default.fileExists(atPath: file) else {
            entry.problem =
                "The poison's file is not in the artifact folder beside the store; "
                + "--shared names another folder."
            return entry
        }
        do {
            let (clean, poisoned) = try samples.images(
                poison.spec, artifact: file, count: images)
            entry.strips = GalleryStrips(clean: clean, poisoned: poisoned)
        } catch {
            entry.problem = "The images cannot be shown: \(error)."
        }
        return entry
    }
}
