import ArgumentParser
import FathomCore
import Foundation

/// What data sets there are, and what they look like.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "List data sets, and draw what is in them.",
        subcommands: [DataListCommand.self, DataRenderCommand.self])
}

/// Which data sets are known, and whether they are here.
struct DataListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the known data sets.")

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    func run() throws {
        for name in DataSetCatalog.names {
            do {
                let facts = try DataSetCatalog.open(name: name, folder: data).facts
                let shape = "\(facts.channels)x\(facts.height)x\(facts.width)"
                print(
                    "\(name): \(facts.trainCount) + \(facts.testCount) images of \(shape), "
                        + "\(facts.classCount) classes, "
                        + "\(tasks(facts)), digest \(facts.digest.short)")
                for note in facts.notes { print("  note: \(note)") }
            } catch {
                guard case .missing = error else { throw error }
                print("\(name): not here")
            }
        }
    }

    private func tasks(_ facts: DataFacts) -> String {
        let taught = TaskKind.allCases.filter { !$0.needsMaps || facts.mapTasks.contains($0) }
        return taught.count == TaskKind.allCases.count
            ? "all tasks" : "tasks \(taught.map(\.rawValue).joined(separator: ", "))"
    }
}

/// Draws images of a set and what is known of their pixels.
struct DataRenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Draw images and their targets: a contact sheet, and arrays.",
        discussion: """
            Writes sheet.png (a row an image; the columns are printed), images.npy [N, C, H, W], \
            labels.npy, and for sets that know their pixels one .npy a map. Rendered sets take \
            time for each image only, so that any range is quick.
            """)

    @Argument(help: "The data set, such as rooms10.")
    var set: String

    @Option(help: "The folder to write to; it is made.")
    var out: String

    @Option(help: "train or test.")
    var split = ImageSplit.train

    @Option(help: "The first image, from 0.")
    var first = 0

    @Option(help: "How many images.")
    var count = 16

    @Option(help: "How many times the sheet enlarges its images.")
    var scale = 4

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Flag(help: "Write arrays only, and no sheet.")
    var noSheet = false

    func validate() throws {
        guard first >= 0, (1...100_000).contains(count), (1...32).contains(scale) else {
            throw ValidationError("--first, --count or --scale is out of range")
        }
        guard noSheet || count * scale * scale <= 20_000 else {
            throw ValidationError("a sheet of \(count) images is too large; add --no-sheet")
        }
    }

    func run() throws {
        let source = try DataSetCatalog.open(name: set, folder: data)
        let part: DataSet.Part = split == .train ? .train : .test
        let (images, maps) = try drawn(source, part)
        do {
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: true)
        } catch {
            throw InputError(description: "\(out) cannot be made: \(error.localizedDescription)")
        }
        if !noSheet {
            let sheet = ContactSheet(images, maps: maps, scale: scale)
            try sheet.file.write(to: out + "/sheet.png")
            print("\(out)/sheet.png: \(sheet.columns.joined(separator: ", "))")
        }
        try write(arrays(images, maps))
    }

    private func drawn(
        _ source: DataSet, _ part: DataSet.Part
    ) throws -> (ImageSet, SceneMaps?) {
        let available = part == .train ? source.facts.trainCount : source.facts.testCount
        guard first + count <= available else {
            throw InputError(
                description: "\(set) has \(available) \(split.rawValue) images; "
                    + "--first \(first) --count \(count) goes beyond")
        }
        let images = try source.images(part, at: Array(first..<(first + count)))
        return (images, try source.maps(part, of: images))
    }

    private func arrays(_ images: ImageSet, _ maps: SceneMaps?) -> [(String, StoredArray)] {
        let plane = [images.count, images.height, images.width]
        var arrays: [(String, StoredArray)] = [
            (
                "images",
                StoredArray(
                    shape: [images.count, images.channels, images.height, images.width],
                    values: .uint8(images.pixels))
            ),
            ("labels", StoredArray(shape: [images.count], values: .int32(images.labels))),
        ]
        guard let maps else { return arrays }
        let deep = { [images.count, $0, images.height, images.width] }
        arrays += [
            ("valid", StoredArray(shape: plane, values: .uint8(maps.valid))),
            ("semantic", StoredArray(shape: plane, values: .uint8(maps.semantic))),
            ("instance", StoredArray(shape: plane, values: .uint8(maps.instance))),
            ("segments", StoredArray(shape: plane, values: .uint8(maps.segments))),
            ("depth", StoredArray(shape: plane, values: .float32(maps.depth))),
            ("depthAlongAxis", StoredArray(shape: plane, values: .float32(maps.depthAlongAxis))),
            ("reshading", StoredArray(shape: plane, values: .float32(maps.reshading))),
            ("normals", StoredArray(shape: deep(3), values: .float32(maps.normals))),
            ("curvatures", StoredArray(shape: deep(2), values: .float32(maps.curvatures))),
        ]
        return arrays
    }

    private func write(_ arrays: [(String, StoredArray)]) throws {
        for (name, array) in arrays {
            try NPYFile(array).write(to: "\(out)/\(name).npy")
            print("\(out)/\(name).npy \(array.shape)")
        }
    }
}
