import FathomCore
import FathomProtocol
import FathomWorker
import Foundation

/// Reads the poisons that a manifest names by their paths, while it is planned.
final class ExternalMethods {
    /// What jobs will read, by content.
    private(set) var files: [[UInt8]] = []
    private var known: [String: MethodSettings] = [:]
    private let folder: String
    private let dataFolder: String?
    private let library: DataSetLibrary

    /// - Parameter manifest: Paths are relative to the folder it is in.
    init(manifest: String, dataFolder: String?, library: DataSetLibrary) {
        folder = (manifest as NSString).deletingLastPathComponent
        self.dataFolder = dataFolder
        self.library = library
    }

    /// The method as jobs know it: by its content instead of its path.
    func resolved(_ method: MethodSettings, dataSet: String) throws -> MethodSettings {
        guard let (path, settings) = method.external else { return method }
        let cause = "\(dataSet) \(method.words.sorted { $0.key < $1.key })"
        if let known = known[cause] { return known }
        let place = path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
        let clean = try library.open(name: dataSet, folder: dataFolder).train
        let bytes = try ExternalPoison(path: place, on: clean, settings: settings).encoded()
        let resolved = MethodSettings(
            name: method.name, words: ["kind": "external", "digest": Digest(of: bytes).hex])
        known[cause] = resolved
        files.append(bytes)
        return resolved
    }
}

/// Keeps imported files where the workers of a sweep find them.
struct ImportedFiles {
    let files: [[UInt8]]

    func keep(in folder: ArtifactFolder) throws {
        for bytes in files { _ = try folder.keep(bytes, name: "imported file") }
    }
}
