import Foundation

/// Reads a manifest's text, and that of the files it extends, into one tree.
struct ManifestSource {
    private var filesOpen: [String] = []

    /// The tree of `text`, laid over what it extends.
    static func tree(_ text: String, file: String) throws(ManifestError) -> ManifestNode {
        var source = ManifestSource()
        return try source.resolved(text, file: file)
    }

    /// The text of the file at `path`, as far as it is one.
    static func text(ofFile path: String) throws(ManifestError) -> String {
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            bytes = try handle.read(upToCount: Limits.manifestBytes + 1) ?? Data()
        } catch {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw failure(path, isThere ? "cannot be read" : "there is no such file")
        }
        guard bytes.count <= Limits.manifestBytes else {
            throw failure(path, "is larger than \(Limits.manifestBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure(path, "is not UTF-8 text")
        }
        return text
    }

    private mutating func resolved(
        _ text: String, file: String
    ) throws(ManifestError) -> ManifestNode {
        guard text.utf8.count <= Limits.manifestBytes else {
            throw Self.failure(file, "is larger than \(Limits.manifestBytes) bytes")
        }
        let root = try YAMLReader.read(text, file: file)
        guard case .map(let entries) = root.content else {
            throw Self.failure(
                root.place, "holds \(root.shown); a manifest is a mapping of keys to values")
        }
        guard let link = root.child("extends") else { return root }
        filesOpen.append(Self.identity(file))
        let base = try base(of: link, file: file)
        filesOpen.removeLast()
        let own = entries.filter { $0.key != "extends" }
        return ManifestNode(place: root.place, content: .map(own)).overriding(base)
    }

    private mutating func base(
        of link: ManifestNode, file: String
    ) throws(ManifestError) -> ManifestNode {
        guard case .scalar(let name, _) = link.content, !link.isNull, !name.hasPrefix("/") else {
            throw Self.failure(
                link, "it must be the path of another manifest, relative to this one")
        }
        let folder = (file as NSString).deletingLastPathComponent
        let path = (folder as NSString).appendingPathComponent(name)
        guard !filesOpen.contains(Self.identity(path)) else {
            throw Self.failure(link, "that file extends this one already, in a circle")
        }
        guard filesOpen.count <= Limits.extendsDepth else {
            throw Self.failure(
                link, "at most \(Limits.extendsDepth) files may extend one another")
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw Self.failure(link, "there is no file \(path)")
        }
        return try resolved(try Self.text(ofFile: path), file: path)
    }

    /// Two spellings of one file are one file.
    private static func identity(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    private static func failure(_ file: String, _ advice: String) -> ManifestError {
        failure(Place(file: file, line: 0, column: 0), advice)
    }

    private static func failure(_ place: Place, _ advice: String) -> ManifestError {
        ManifestError(problems: [
            .init(
                file: place.file, line: place.line, column: place.column, field: "", value: nil,
                advice: advice)
        ])
    }

    private static func failure(_ link: ManifestNode, _ advice: String) -> ManifestError {
        ManifestError(problems: [
            .init(
                file: link.place.file, line: link.place.line, column: link.place.column,
                field: "extends", value: link.shown, advice: advice)
        ])
    }
}
