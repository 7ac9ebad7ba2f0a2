import ArgumentParser
import FathomCore

/// Drawing of rooms, with everything known of their pixels that filters do not make.
struct BenchRenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Time the drawing of rooms on one core: images a second.")

    @Option(help: "The set: rooms10 or another of its kind.")
    var set = "rooms10"

    @Option(help: "How many images.")
    var images = 4_000

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        guard (1...10_000).contains(images) else {
            throw ValidationError("--images is \(images); it takes 1 to 10000")
        }
        guard set.hasPrefix("rooms10") else {
            throw ValidationError("--set is \(set); rooms10 and its kind are drawn")
        }
    }

    func run() throws {
        let set = try DataSetCatalog.open(name: set)
        let positions = Array(0..<images)
        let duration = try ContinuousClock().measure {
            _ = try set.maps(.train, of: try set.images(.train, at: positions))
        }
        let seconds =
            Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        let rate = Double(images) / seconds
        switch format {
        case .json: try printJSON(["images_per_second": rate])
        case .table: print("\(Int(rate.rounded())) images/s")
        }
    }
}
