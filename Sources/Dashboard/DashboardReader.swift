import FathomCoordinator
import FathomMessaging
import Foundation
import Glibc
import Synchronization

/// The one thread that reads the store for all visitors, at a low priority and for a bounded
/// share of the time; what visitors see is what it read last.
///
/// So the number of visitors changes nothing for the coordinator: they are answered from memory,
/// and their few questions to the store wait in a short queue.
final class DashboardReader: Sendable {
    /// The JSON at hand, or why there is none, and a number that rises with every change of them.
    struct Latest: Sendable {
        var number = 0
        /// The same as what pages are told; they get each when it has changed.
        var parts: [Part] = []
        /// When the store was looked at, in seconds since 1970.
        var at = 0.0
        /// Why there is nothing new; `nil` while all is well.
        var problem: String?

        /// All parts as one object.
        var json: [UInt8] {
            let fields = parts.map { Array("\"\($0.name)\":".utf8) + $0.json }
            return Array("{".utf8) + fields.joined(separator: ",".utf8) + Array("}".utf8)
        }
    }

    /// What changes together.
    struct Part: Sendable {
        var name: String
        var json: [UInt8]
        /// That of the change it came with.
        var number: Int
    }

    private struct State: Sendable {
        var latest = Latest()
        var snapshot: DashboardSnapshot?
        /// What the thread reads through, to break it off.
        var reader: StoreReader?
    }

    private let settings: DashboardSettings
    private let questions = BoundedQueue<@Sendable (StoreReader?) -> Void>(
        capacity: DashboardLimits.questions)
    private let state = Mutex(State())
    private let isClosed = Atomic(false)
    private let thread = Mutex<NamedThread?>(nil)

    init(_ settings: DashboardSettings) throws {
        self.settings = settings
        let thread = try NamedThread(name: "fathom-dash") { [self] in work() }
        self.thread.withLock { $0 = thread }
    }

    /// Whether it was closed, after which there is nothing new.
    var isEnded: Bool { isClosed.load(ordering: .acquiring) }

    var latest: Latest { state.withLock { $0.latest } }

    func cells(search: String, order: CellRow.Order, offset: Int) -> ListPage<CellRow> {
        let cells = state.withLock { $0.snapshot?.cells } ?? []
        return ListPage(cells, search: search, order: order, offset: offset)
    }

    func board(search: String, offset: Int) -> DashboardBoard.Page {
        let board = state.withLock { $0.snapshot?.board } ?? DashboardBoard(groups: [], jobs: 0)
        return board.page(search: search, offset: offset)
    }

    /// Asks the store something on the reader's thread.
    ///
    /// - Returns: False when too many wait already; `body` is then not called.
    func ask(_ body: @escaping @Sendable (StoreReader?) -> Void) -> Bool {
        questions.offer(body)
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        questions.close()
        state.withLock { $0.reader }?.interrupt()
        thread.withLock { $0?.join() }
    }

    // MARK: On the thread

    private func work() {
        // Of this thread alone, as Linux has it.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        var refresh = DashboardRefresh(settings) { [self] reader in
            state.withLock { $0.reader = reader }
        }
        var next = ContinuousClock.now
        while !isClosed.load(ordering: .acquiring) {
            let pause = max(.zero, ContinuousClock.now.duration(to: next))
            for question in questions.take(atMost: 1, within: pause) { question(refresh.reader) }
            guard ContinuousClock.now >= next, !isClosed.load(ordering: .acquiring) else {
                continue
            }
            let start = ContinuousClock.now
            do {
                publish(try refresh.snapshot())
            } catch {
                publish(problem: "\(error)")
            }
            let took = ContinuousClock.now - start
            next =
                ContinuousClock.now
                + max(.seconds(DashboardLimits.refreshSeconds), took / DashboardLimits.duty)
        }
        // Nobody who asks waits for ever.
        for question in questions.take(atMost: DashboardLimits.questions, within: .zero) {
            question(nil)
        }
    }

    /// - Parameter found: What the store says; `nil`: nothing has changed.
    private func publish(_ found: DashboardSnapshot?) {
        let now = Date().timeIntervalSince1970
        guard let found else { return state.withLock { $0.latest.at = now } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let figures = try? encoder.encode(found.figures),
            let cells = try? encoder.encode(ListPage(found.cells)),
            let board = try? encoder.encode(found.board.page())
        else { return publish(problem: "a number of the store is none that JSON can hold") }
        state.withLock {
            let number = $0.latest.number + 1
            let before = $0.latest.parts
            let parts = [("figures", figures), ("cells", cells), ("board", board)].map {
                name, json in
                let same = before.first { $0.name == name && $0.json.elementsEqual(json) }
                return same ?? Part(name: name, json: Array(json), number: number)
            }
            $0.latest = Latest(number: number, parts: parts, at: found.figures.at)
            $0.snapshot = found
        }
    }

    private func publish(problem: String) {
        state.withLock {
            guard $0.latest.problem != problem else { return }
            $0.latest.number += 1
            $0.latest.problem = problem
        }
    }
}
