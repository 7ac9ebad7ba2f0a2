import FathomMessaging
import Foundation
import Synchronization

/// How a worker is told where its coordinator is.
enum CoordinatorAddress {
    case fixed(EndpointFile)
    /// A file that the coordinator writes, and writes again when it starts elsewhere.
    case file(String)

    /// - Parameter text: `tcp://host:port`, or `@` and a path.
    init(_ text: String, serverKey: String?) {
        self =
            text.hasPrefix("@")
            ? .file(String(text.dropFirst()))
            : .fixed(EndpointFile(endpoint: text, serverKey: serverKey ?? ""))
    }

    /// Waits until the coordinator has said where it is.
    ///
    /// - Throws: When it has not within `seconds`.
    func find(within seconds: Double) throws -> EndpointFile {
        switch self {
        case .fixed(let endpoint): return endpoint
        case .file(let path):
            let deadline = Date(timeIntervalSinceNow: seconds)
            while Date() < deadline {
                if let endpoint = try EndpointFile.read(path) { return endpoint }
                Thread.sleep(forTimeInterval: 0.5)
            }
            throw RunError(
                description: "no coordinator has written \(path) within \(Int(seconds)) s")
        }
    }
}

/// Notices that the coordinator has started again at another address.
final class MoveWatch: Sendable {
    private struct State {
        var isOver = false
        var hasMoved = false
    }

    private let state = Mutex(State())
    private let over = DispatchSemaphore(value: 0)

    /// - Parameter moved: Called once, when the file names another address than `known`.
    init(
        _ address: CoordinatorAddress, known: EndpointFile, moved: @escaping @Sendable () -> Void
    ) throws {
        guard case .file(let path) = address else { return }
        let thread = try NamedThread(name: "fathom-watch", stackBytes: 256 << 10) { [self] in
            while !state.withLock({ $0.isOver }) {
                _ = over.wait(timeout: .now() + 2)
                guard let now = try? EndpointFile.read(path), now != known else { continue }
                state.withLock { $0.hasMoved = true }
                moved()
                return
            }
        }
        _ = thread
    }

    /// Ends the watch.
    ///
    /// - Returns: Whether the coordinator has moved.
    func stop() -> Bool {
        over.signal()
        return state.withLock { state in
            state.isOver = true
            return state.hasMoved
        }
    }
}
