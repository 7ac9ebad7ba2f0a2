import ArgumentParser
import FathomCoordinator
import FathomCore
import Foundation

/// SAL of a network that was trained elsewhere.
struct SALCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sal",
        abstract: "Measure SAL of every layer of a network trained elsewhere.",
        discussion: """
            Reads a safetensors checkpoint whose arrays are called as in common PyTorch code \
            (conv1.weight, layer1.0.bn1.running_mean; also module.*, fc.*, *.downsample.*), and \
            measures SAL on images of a data set. The accuracy it prints should be the one you \
            know from training; if it is not, --mean and --std are probably missing.
            """)

    @Argument(help: "The checkpoint, a safetensors file.")
    var checkpoint: String

    @Option(help: "The network, such as resnet18.")
    var model: String

    @Option(help: "Its base width; by default the architecture's own.")
    var width: Int?

    @Option(help: "The data set that the images are taken from.")
    var dataSet = "fashion-mnist"

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Option(help: "train or test: which of its images.")
    var split = ImageSplit.train

    @Option(help: "How many images, class-balanced; 0 for all.")
    var images = 256

    @Option(help: "Draws the images.")
    var seed: UInt64 = 0

    @Option(help: "What was subtracted from pixels in 0...1, a number a channel: 0.49,0.48,0.45.")
    var mean: String?

    @Option(help: "What they were then divided by, a number a channel.")
    var std: String?

    @OptionGroup var walk: WalkOptions

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    func validate() throws {
        try walk.validate()
        guard (0...10_000_000).contains(images) else {
            throw ValidationError("--images is \(images); it takes a whole number from 0")
        }
    }

    func run() throws {
        NumericClass.enterSlot()
        let set = try DataSetCatalog.open(name: dataSet, folder: data)
        let chosen = try set.subset(
            split == .train ? .train : .test, count: images,
            random: RandomStream(seed: seed).derived("images"))
        let engine = SALEngine(
            network: try network(chosen), parameters: try parameters(chosen), images: chosen,
            settings: walk.settings(images: chosen.count),
            normalization: try normalization(channels: chosen.channels))
        let rows = engine.measure(layers: 0..<engine.layerCount)
        let origin = engine.origin
        let summary = String(
            format: "loss %.4f, accuracy %.4f on %d %@ images", origin.mean, origin.accuracy,
            origin.count, split.rawValue)
        Failure.say(summary)
        let isExact = format == .json || format == .csv
        print(format.text(of: SALTable(isExact: isExact).result(rows)), terminator: "")
        if rows.contains(where: { $0.flag == "diverged" }) { throw ExitStatus.unfinishedJobs }
    }

    private func network(_ images: ImageSet) throws -> Network {
        do {
            return try ModelRegistry.classifier(
                ModelSettings(name: model, width: width), channels: images.channels,
                height: images.height, width: images.width, classes: images.classCount)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    private func parameters(_ images: ImageSet) throws -> ParameterSet {
        do {
            return try ImportedCheckpoint(path: checkpoint).parameters(of: try network(images))
        } catch let error as CheckpointError {
            throw InputError(description: "\(error)")
        } catch let error as ImportError {
            throw InputError(description: "\(error)")
        }
    }

    private func normalization(channels: Int) throws -> ImageNormalization? {
        if mean == nil, std == nil { return nil }
        let means = try numbers(mean, "--mean") ?? Array(repeating: 0, count: channels)
        let deviations = try numbers(std, "--std") ?? Array(repeating: 1, count: channels)
        guard let normalization = ImageNormalization(means: means, deviations: deviations),
            normalization.channels == channels
        else {
            throw InputError(
                description: "--mean and --std are \(mean ?? "0") and \(std ?? "1"); they take "
                    + "\(channels) numbers each, deviations above 0")
        }
        return normalization
    }

    private func numbers(_ text: String?, _ option: String) throws -> [Double]? {
        try text.map { text in
            try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let number = Double(part), number.isFinite else {
                    throw InputError(
                        description: "\(option) is \(text); it takes numbers with commas between")
                }
                return number
            }
        }
    }
}

/// How a command walks the layers.
struct WalkOptions: ParsableArguments {
    @Option(help: "Images a batch.")
    var batch = 32

    @Option(help: "normalized or reference.")
    var solver = SALSettings.Solver.normalized

    @Option(help: "Steps of the normalized solver.")
    var steps = 4

    @Option(help: "Passes of the reference solver.")
    var passes = 10

    @Option(help: "The rate of the reference solver.")
    var rate = 0.1

    @Option(help: "The ball's radius, relative to the norm of a layer's weights.")
    var radius = 0.05

    func validate() throws {
        for (name, value) in [("batch", batch), ("steps", steps), ("passes", passes)]
        where !(1...1_000_000).contains(value) {
            throw ValidationError("--\(name) is \(value); it takes a whole number from 1")
        }
        for (name, value) in [("rate", rate), ("radius", radius)]
        where !(value.isFinite && value > 0) {
            throw ValidationError("--\(name) is \(value); it takes a number above 0")
        }
    }

    func settings(images: Int) -> SALSettings {
        SALSettings(
            images: images, batch: batch, solver: solver, steps: steps, passes: passes, rate: rate,
            radius: radius)
    }
}

/// Which images of a data set.
enum ImageSplit: String, ExpressibleByArgument, CaseIterable {
    case train, test
}

/// Measurements as rows of a table.
struct SALTable {
    /// Whether numbers keep all their digits, for programs.
    let isExact: Bool

    func result(_ rows: [SALMeasurement]) -> QueryResult {
        QueryResult(
            columns: [
                "layer", "weights", "sal", "sMax", "sMin", "salAccuracy", "radiusUp",
                "radiusDown", "originLoss", "originAccuracy", "forwardEquivalents", "flag",
            ],
            rows: rows.map { row in
                [
                    .text(row.layer), .integer(Int64(row.weightCount)), number(row.sal),
                    number(row.sMax), number(row.sMin), number(row.salAccuracy),
                    number(row.up.radii.last ?? 0), number(row.down.radii.last ?? 0),
                    number(row.originLoss), number(row.originAccuracy),
                    number(row.forwardEquivalents), row.flag.map { .text($0) } ?? .null,
                ]
            })
    }

    private func number(_ value: Double) -> QueryValue {
        .real(isExact ? value : (value * 1e6).rounded() / 1e6)
    }
}
