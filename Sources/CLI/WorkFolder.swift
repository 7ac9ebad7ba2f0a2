import FathomCore
import Foundation

/// Where programs keep what must outlive them, or is for others of the machine too.
enum WorkFolder {
    /// The folder that workers of one coordinator share on this machine: in the user's cache, named
    /// after the coordinator's key.
    static func usual(serverKey: String) -> String {
        "\(cache)/fathom/work/\(Digest(of: Array(serverKey.utf8)).short)"
    }

    /// The folder of decoded data sets that all of a user's programs on this machine share.
    static var decodedSets: String { cache + "/fathom/data" }

    private static var cache: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? NSHomeDirectory() + "/.cache"
    }
}
