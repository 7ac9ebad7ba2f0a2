import FathomCoordinator
import FathomCore
import Foundation
import Glibc

/// One thing that was looked at.
struct Finding: Encodable {
    enum Status: String, Encodable {
        case fine = "ok"
        /// Worth knowing, and no reason to stop.
        case notable = "note"
        case wrong = "WRONG"
    }
    let what: String
    let status: Status
    let found: String

    init(_ what: String, _ status: Status, _ found: String) {
        self.what = what
        self.status = status
        self.found = found
    }
}

/// Sizes for people.
enum ByteText {
    static func of(_ bytes: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1_024 && unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : String(format: "%.1f %@", value, units[unit])
    }
}

/// Checks of the machine that this process runs on.
enum MachineDoctor {
    /// - Parameter folder: Where stores are to lie.
    static func findings(folder: String) -> [Finding] {
        [
            machine, Finding("numeric class", .fine, Engine.numericClass), openFiles,
            fileSystem(folder), room(folder), clock(folder),
        ]
    }

    private static var machine: Finding {
        let info = ProcessInfo.processInfo
        return Finding(
            "machine", .fine,
            "\(info.activeProcessorCount) cores, "
                + "\(ByteText.of(Int(clamping: info.physicalMemory))) of memory")
    }

    private static var openFiles: Finding {
        let limit = FileLimit.raise()
        let workers = FileLimit.workers(within: limit)
        return workers >= 1_000
            ? Finding("open files", .fine, "\(limit) allowed: \(workers) workers can connect")
            : Finding(
                "open files", .notable,
                "\(limit) allowed, which is enough for \(workers) workers; raise the hard limit "
                    + "(ulimit -Hn) for more")
    }

    private static func fileSystem(_ folder: String) -> Finding {
        if let kind = NetworkFileSystem.holding(folder: folder) {
            return Finding(
                "file system", .wrong,
                "\(folder) lies on \(kind), a network file system; stores need a local disk, such "
                    + "as --db /var/tmp/NAME.fathom.sqlite")
        }
        let probe = "\(folder)/.fathom-doctor-\(getpid())"
        defer { unlink(probe) }
        let descriptor = open(probe, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            return Finding(
                "file system", .notable,
                "\(folder) cannot be written: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var seconds: [Double] = []
        for _ in 0..<20 {
            var block = [UInt8](repeating: 0, count: 4_096)
            guard pwrite(descriptor, &block, block.count, 0) == block.count else { break }
            let start = DispatchTime.now().uptimeNanoseconds
            guard fdatasync(descriptor) == 0 else { break }
            seconds.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
        }
        guard let median = Quantile.of(seconds, 0.5) else {
            return Finding(
                "file system", .wrong, "nothing can be put on the disk of \(folder); is it full?")
        }
        return Finding(
            "file system", .fine,
            String(format: "local; a block is on disk after %.2f ms", median * 1_000))
    }

    private static func room(_ folder: String) -> Finding {
        guard let bytes = DiskRoom.bytes(at: folder) else {
            return Finding("disk room", .notable, "the system does not say")
        }
        return bytes >= 1 << 30
            ? Finding("disk room", .fine, ByteText.of(bytes))
            : Finding(
                "disk room", .notable,
                "\(ByteText.of(bytes)) left at \(folder); sweeps with checkpoints need more")
    }

    /// Times in a store are the wall clock's; results never depend on it.
    private static func clock(_ folder: String) -> Finding {
        var resolution = timespec()
        guard clock_getres(CLOCK_MONOTONIC, &resolution) == 0 else {
            return Finding("clock", .wrong, "there is no monotonic clock")
        }
        let seconds = Date().timeIntervalSince1970
        // 2025-01-01: an unset clock of a machine without a battery starts in 1970.
        guard seconds > 1_735_689_600 else {
            return Finding("clock", .wrong, "it says \(Date()); set it, stored times come from it")
        }
        return Finding(
            "clock", .fine, "\(Date()); monotonic to \(resolution.tv_nsec) ns")
    }
}

/// How many files and connections this process may have open.
enum FileLimit {
    /// A connection takes one descriptor; store, log, slots and libraries some more.
    private static let descriptorsOfOurOwn = 64

    /// Raises the limit as far as the system allows and answers what it is then.
    @discardableResult
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(.init(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(.init(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    static func workers(within limit: Int) -> Int { max(0, limit - descriptorsOfOurOwn) }
}
