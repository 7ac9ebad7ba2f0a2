import FathomMessaging
import Foundation
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix

/// A live page of a store, served until it is closed.
///
/// It reads the store through a connection of its own and decides nothing. One event loop and one
/// queue serve visitors, one thread of low priority reads; the coordinator waits for none of them.
public final class Dashboard: Sendable {
    /// Where it is to be found.
    public let address: String
    public let port: Int

    private let reader: DashboardReader
    private let server: Server<HTTP1Channel>
    private let loop: MultiThreadedEventLoopGroup
    private let queue = VisitorQueue()
    private let ended: DispatchSemaphore

    /// Starts serving, and returns once it listens.
    ///
    /// - Throws: `DashboardError.cannotListen`.
    public init(
        _ settings: DashboardSettings, token: DashboardToken, logger: Logger
    ) throws {
        let reader = try DashboardReader(settings)
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let started = BoundedQueue<Result<Int, DashboardError>>(capacity: 1)
        let ended = DispatchSemaphore(value: 0)
        @Sendable func failure(_ reason: String) -> Result<Int, DashboardError> {
            .failure(
                .cannotListen(host: settings.host, port: settings.port, reason: reason))
        }
        let server = Self.server(
            settings, DashboardResponder(settings: settings, token: token, reader: reader), loop,
            logger
        ) { port in started.offer(.success(port)) }
        Task.detached(executorPreference: queue) {
            do {
                try await server.run()
                started.offer(failure("it ended"))
            } catch let error as IOError {
                started.offer(failure(String(cString: strerror(error.errnoCode))))
            } catch {
                started.offer(failure("\(error)"))
            }
            ended.signal()
        }
        (self.reader, self.server, self.loop, self.ended) = (reader, server, loop, ended)
        switch started.take(atMost: 1, within: .seconds(10)).first ?? failure("no answer") {
        case .success(let number):
            port = number
            let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
            address = "http://\(host):\(number)/"
        case .failure(let error):
            (port, address) = (0, "")
            close()
            throw error
        }
    }

    /// Stops serving. Live pages are cut off and try again by themselves; other answers are sent
    /// to their end, as far as that is a matter of a second or two.
    public func close() {
        reader.close()
        let server = server
        // Not by cancelling: a connection that was just accepted would be dropped half made.
        Task.detached(executorPreference: queue) { try? await server.shutdownGracefully() }
        // A visitor who keeps a connection must not keep the program.
        if ended.wait(timeout: .now() + 2) == .success { loop.shutdownGracefully { _ in } }
    }

    private static func server(
        _ settings: DashboardSettings, _ responder: DashboardResponder,
        _ loop: MultiThreadedEventLoopGroup, _ logger: Logger,
        _ listening: @escaping @Sendable (Int) -> Void
    ) -> Server<HTTP1Channel> {
        var quiet = logger
        // What visitors do is none of the sweep's log.
        quiet.logLevel = max(.error, logger.logLevel)
        let channel = HTTP1Channel(
            responder: responder.respond,
            configuration: .init(
                additionalChannelHandlers: [
                    RequestDeadline(seconds: DashboardLimits.idleSeconds)
                ],
                idleTimeout: .seconds(DashboardLimits.idleSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: DashboardLimits.headerBytes,
                    maxHeaderListSize: DashboardLimits.headerBytes, maxHeaderFieldCount: 100)))
        return Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 128,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    DashboardLimits.connections, logger: quiet)),
            onServerRunning: { channel in listening(channel.localAddress?.port ?? settings.port) },
            eventLoopGroup: loop, logger: quiet)
    }
}

/// Runs what visitors ask for one thing after the other, and keeps it off the threads that all
/// tasks share, which may be taken by those who compute.
private final class VisitorQueue: TaskExecutor {
    private let queue = DispatchQueue(label: "fathom-visitors", qos: .utility)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
