import Foundation
import Glibc

/// The plainest client of HTTP there is, for servers of this machine.
public struct LoopbackClient: Sendable {
    /// What came back.
    public struct Answer: Sendable {
        public var status: Int
        /// The lines before the empty one.
        public var head: String
        public var body: String

        /// A header's value, by its name in small letters.
        public subscript(name: String) -> String? {
            head.split(whereSeparator: \.isNewline).dropFirst().lazy
                .map { $0.split(separator: ":", maxSplits: 1) }
                .first { $0.count == 2 && $0[0].lowercased() == name }
                .map { $0[1].trimmingCharacters(in: .whitespaces) }
        }
    }

    public let port: Int

    public init(port: Int) { self.port = port }

    /// A connection, or -1.
    public func connected() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let isOpen = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isOpen else {
            close(descriptor)
            return -1
        }
        return descriptor
    }

    /// Sends text as it is.
    public func send(_ text: String, on descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Reads until `isEnough`, the end, or ten seconds of silence.
    public func read(
        _ descriptor: Int32, until isEnough: (String) -> Bool = { _ in false }
    ) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while !isEnough(String(decoding: text, as: UTF8.self)) {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            text += chunk[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// One request on a connection of its own; `nil` when nobody answers.
    public func ask(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String = ""
    ) -> Answer? {
        let descriptor = connected()
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var lines = ["\(method) \(path) HTTP/1.1"]
        if headers["Host"] == nil { lines.append("Host: 127.0.0.1:\(port)") }
        lines += headers.map { "\($0.key): \($0.value)" }
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        lines += ["Connection: close", "", ""]
        send(lines.joined(separator: "\r\n") + body, on: descriptor)
        let text = read(descriptor)
        guard let cut = text.range(of: "\r\n\r\n") else { return nil }
        let head = String(text[..<cut.lowerBound])
        let words = head.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        return Answer(status: status, head: head, body: String(text[cut.upperBound...]))
    }

    public func get(_ path: String) -> Answer? { ask("GET", path) }
}
