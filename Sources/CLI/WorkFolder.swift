import FathomCore
import Foundation

/// Where a worker keeps what must outlive it.
enum WorkFolder {
    /// The folder that workers of one coordinator share on this machine: in the user's cache, named
    /// after the coordinator's key.
    static func usual(serverKey: String) -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? NSHomeDirectory() + "/.cache"
        let name = Digest(of: Array(serverKey.utf8)).short
        return "\(cache)/fathom/work/\(name)"
    }
}
