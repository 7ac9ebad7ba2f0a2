import Foundation

/// Where a coordinator can be found and by which key it is known: two lines that it writes where
/// its workers can read them, on a file system they share. Neither is a secret.
struct EndpointFile: Equatable, Sendable {
    var endpoint: String
    var serverKey: String

    /// Reads the file at `path`; `nil` while there is none.
    static func read(_ path: String) throws -> EndpointFile? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw InputError(description: "\(path) cannot be read")
        }
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard lines.count == 2, lines[0].hasPrefix("tcp://") else {
            throw InputError(
                description: "\(path) is not an endpoint file; `fathom coordinator "
                    + "--endpoint-file` writes one: an address and a public key, a line each")
        }
        return EndpointFile(endpoint: lines[0], serverKey: lines[1])
    }

    /// Replaces the file in one step, so that no reader sees half of it.
    func write(_ path: String) throws {
        do {
            try Data("\(endpoint)\n\(serverKey)\n".utf8)
                .write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw InputError(
                description: "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// The port in the address; `nil` where it names none.
    var port: Int? { endpoint.split(separator: ":").last.flatMap { Int($0) } }
}
