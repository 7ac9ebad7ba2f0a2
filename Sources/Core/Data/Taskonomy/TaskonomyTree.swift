import Foundation

/// A view of a building: what the files of different domains have in common.
struct TaskonomyView: Hashable, Comparable {
    var point: Int
    var view: Int

    static func < (left: TaskonomyView, right: TaskonomyView) -> Bool {
        (left.point, left.view) < (right.point, right.view)
    }
}

/// Views that were left out because a domain does not have them.
struct TaskonomyGap: Codable, Hashable, CustomStringConvertible {
    var building: String
    var domain: String
    var count: Int

    var description: String { "\(building): \(count) views have no \(domain)" }
}

/// The files of a Taskonomy tree: `DOMAIN/taskonomy/BUILDING/point_P_view_V_domain_NAME.EXT`,
/// `DOMAIN/BUILDING/...`, or, of the one building of the sample, `DOMAIN/...`.
///
/// The domain is the folder's: the word in the file's name differs from it in places.
struct TaskonomyTree {
    let root: String
    /// The folder of every domain that is there.
    let folders: [TaskonomyDomain: String]
    /// Whether files lie in the domains' folders themselves.
    let isSample: Bool

    /// A class file shorter than this holds nothing.
    private static let classBytesMin = 100
    /// More views than any building has.
    private static let viewsMax = 1_000_000

    /// Looks for the folders of domains.
    init(root: String) throws(DataError) {
        var folders: [TaskonomyDomain: String] = [:]
        for domain in TaskonomyDomain.allCases {
            let found = domain.folders.map { "\(root)/\($0)" }
                .first { TaskonomyTree.isFolder($0) }
            guard let found else { continue }
            let inner = found + "/taskonomy"
            folders[domain] = TaskonomyTree.isFolder(inner) ? inner : found
        }
        self.root = root
        self.folders = folders
        guard let colors = folders[.rgb] else {
            isSample = false
            return
        }
        isSample = try FolderListing.names(in: colors).contains {
            TaskonomyTree.view(of: $0, .rgb) != nil
        }
    }

    var domains: [TaskonomyDomain] { folders.keys.sorted() }

    /// The views of a building that every domain has, and what was left out for want of a file.
    func views(
        of building: String
    ) throws(DataError) -> (
        views: [(TaskonomyView, files: [TaskonomyDomain: String])],
        gaps: [TaskonomyGap]
    ) {
        var files: [TaskonomyView: [TaskonomyDomain: String]] = [:]
        for domain in domains {
            for (view, path) in try paths(domain, building) {
                files[view, default: [:]][domain] = path
            }
        }
        let whole = files.filter { $0.value.count == folders.count }
        let gaps = domains.compactMap { domain -> TaskonomyGap? in
            let count = files.values.count { $0[domain] == nil }
            return count == 0
                ? nil : TaskonomyGap(building: building, domain: domain.rawValue, count: count)
        }
        let views = whole.keys.sorted().map { ($0, files: whole[$0] ?? [:]) }
        return (views, gaps)
    }

    private func paths(
        _ domain: TaskonomyDomain, _ building: String
    ) throws(DataError) -> [(TaskonomyView, String)] {
        guard let folder = folders[domain] else { return [] }
        let place = isSample ? folder : folder + "/" + building
        guard TaskonomyTree.isFolder(place) else { return [] }
        var paths: [(TaskonomyView, String)] = []
        var seen: Set<TaskonomyView> = []
        for name in try FolderListing.names(in: place) {
            guard let view = TaskonomyTree.view(of: name, domain) else { continue }
            let path = place + "/" + name
            try DataFile.requireInside(path, folder: root)
            guard seen.insert(view).inserted, seen.count <= TaskonomyTree.viewsMax else {
                throw .malformed(
                    file: path, offset: 0, expected: "each point and view once",
                    found: "point \(view.point), view \(view.view) again")
            }
            if domain.isClass, try DataFile.byteCount(path: path) < TaskonomyTree.classBytesMin {
                continue
            }
            paths.append((view, path))
        }
        return paths
    }

    /// Reads `point_12_view_3_domain_WORD.png`; `nil` for files that are called otherwise.
    static func view(of name: String, _ domain: TaskonomyDomain) -> TaskonomyView? {
        guard name.hasSuffix(domain.ending),
            let match = name.dropLast(domain.ending.count).wholeMatch(
                of: /point_([0-9]{1,9})_view_([0-9]{1,9})_domain_[A-Za-z0-9_]+/),
            let point = Int(match.1), let view = Int(match.2)
        else { return nil }
        return TaskonomyView(point: point, view: view)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
