import CProcess
import FathomProtocol
import Glibc

/// Frames with a four-byte little-endian length before them, over a pipe.
enum FrameStream {
    /// Writes all bytes; false when the other end is gone or the disk is full.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return false }
                offset += written
            }
            return true
        }
    }

    /// Puts the length before a frame.
    static func framed(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt32(bytes.count)
        return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: count >> $0) } + bytes
    }

    /// From now on nobody waits at a descriptor, whoever reads or writes there.
    static func stopWaiting(at descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
}

/// Writes frames to a pipe without waiting for room: what does not fit is kept until it does.
struct FrameWriter {
    private let descriptor: Int32
    private var unsent: [UInt8] = []
    private var head = 0

    /// - Parameter descriptor: Will not wait from now on.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        FrameStream.stopWaiting(at: descriptor)
    }

    /// Whether something waits for room.
    var hasUnsent: Bool { head < unsent.count }

    /// Writes a frame, or puts it behind those that wait.
    mutating func write(_ frame: [UInt8]) {
        unsent += FrameStream.framed(frame)
        flush()
    }

    /// Writes what there is room for. What nobody will read any more is dropped.
    mutating func flush() {
        let start = head
        head = unsent.withUnsafeBytes { buffer in
            var offset = start
            while offset < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                if written < 0 && errno == EAGAIN { break }
                offset = written > 0 ? offset + written : buffer.count
            }
            return offset
        }
        guard !hasUnsent else { return }
        unsent.removeAll(keepingCapacity: unsent.count <= Self.bytesKept)
        head = 0
    }

    private static let bytesKept = 64 << 10
}

/// Reads frames from a descriptor, many at once where many are there.
struct FrameReader {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var head = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Waits for at least one frame and answers all that have arrived; `nil` at the end of the
    /// stream, or when it cannot be frames.
    mutating func next() -> [[UInt8]]? {
        while true {
            let frames = takeFrames()
            if !frames.isEmpty { return frames }
            guard !isNonsense, fill() == .taken else { return nil }
        }
    }

    /// Takes in once what has arrived at a descriptor that does not wait, and answers the frames
    /// that are whole by then; `nil` at the end of the stream, or when it cannot be frames.
    mutating func nextArrived() -> [[UInt8]]? {
        let outcome = fill()
        let frames = takeFrames()
        if !frames.isEmpty { return frames }
        return outcome == .ended || isNonsense ? nil : []
    }

    private mutating func takeFrames() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = takeFrame() { frames.append(frame) }
        return frames
    }

    /// Whether what comes next is longer than any frame.
    private var isNonsense: Bool { nextLength.map { $0 > MessageLimits.frameBytes } ?? false }

    private var nextLength: Int? {
        guard buffer.count - head >= 4 else { return nil }
        return (0..<4).reduce(0) { $0 | Int(buffer[head + $1]) << (8 * $1) }
    }

    private mutating func takeFrame() -> [UInt8]? {
        guard let length = nextLength, length <= MessageLimits.frameBytes,
            buffer.count - head >= 4 + length
        else { return nil }
        let frame = Array(buffer[head + 4..<head + 4 + length])
        head += 4 + length
        return frame
    }

    private enum Fill {
        case taken, nothing, ended
    }

    private mutating func fill() -> Fill {
        buffer.removeFirst(head)
        head = 0
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return .nothing }
            guard count > 0 else { return .ended }
            buffer.append(contentsOf: chunk[..<count])
            return .taken
        }
    }
}

/// Ends this process when the process at the other end of a pipe is gone, however it went.
public enum Lifeline {
    /// Has the system kill this process when its parent ends, even while it is stopped and reads
    /// no end of file.
    public static func endWithParent() { fathom_end_with_parent() }

    /// Watches a descriptor that the other process holds open for writing.
    public static func watch(_ descriptor: Int32, status: Int32) {
        var request = pollfd(fd: descriptor, events: 0, revents: 0)
        while true {
            let ready = poll(&request, 1, -1)
            if ready > 0 && request.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 {
                _exit(status)
            }
        }
    }
}
