import Foundation

/// Lists folders of data sets.
enum FolderListing {
    /// What a folder holds, in byte order; hidden files apart.
    static func names(in folder: String) throws(DataError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { !$0.hasPrefix(".") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            throw .unreadable(file: folder, reason: error.localizedDescription)
        }
    }
}
