import ArgumentParser

/// Endpoints that belong together: one for messages, one for files.
enum ListenAddress {
    /// The port of an endpoint such as `tcp://127.0.0.1:5555`.
    static func port(of endpoint: String) throws -> Int {
        guard let text = endpoint.split(separator: ":").last, let port = Int(text) else {
            throw InputError(
                description: "\(endpoint) has no port; write it like tcp://0.0.0.0:5555")
        }
        return port
    }

    /// The same address with the port after this one.
    static func nextPort(after endpoint: String) throws -> String {
        let port = try port(of: endpoint)
        guard port < 65_535 else {
            throw InputError(
                description: "no port comes after \(port); --listen-files names one for files")
        }
        return "\(host(of: endpoint)):\(port + 1)"
    }

    /// Where files are offered when nobody says: on the next port, or on any where the system was
    /// asked to choose, since the one after it may be taken.
    static func forFiles(beside endpoint: String, asked: String) throws -> String {
        asked.hasSuffix(":*") || asked.hasSuffix(":0")
            ? anyPort(beside: endpoint) : try nextPort(after: endpoint)
    }

    /// The same address with a port that the system chooses.
    static func anyPort(beside endpoint: String) -> String { "\(host(of: endpoint)):*" }

    private static func host(of endpoint: String) -> Substring {
        endpoint.prefix(upTo: endpoint.lastIndex(of: ":") ?? endpoint.endIndex)
    }
}

/// A number of bytes as people write it: `1000`, `500M`, `20G`.
struct ByteCount: ExpressibleByArgument, Equatable {
    var bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let unit = argument.last.flatMap { units[Character($0.uppercased())] }
        guard let number = Int(unit == nil ? argument[...] : argument.dropLast()), number >= 0
        else { return nil }
        let (product, isTooMuch) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !isTooMuch else { return nil }
        bytes = product
    }

    var defaultValueDescription: String {
        bytes >= 1 << 30 && bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : "\(bytes)"
    }
}
