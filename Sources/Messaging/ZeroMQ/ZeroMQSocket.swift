import CZeroMQ
import Glibc

/// One ZeroMQ socket. It lives and dies on the thread that made it.
///
/// Nothing here waits: a call that could not go on says so.
final class ZeroMQSocket {
    /// What `zmq_poll` wants.
    let handle: UnsafeMutableRawPointer

    private let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
    private var isClosed = false

    /// What became of a frame to be sent.
    enum SendOutcome {
        case sent
        case wouldBlock
        case unreachable
    }

    init(handle: UnsafeMutableRawPointer) {
        self.handle = handle
        message.initialize(to: zmq_msg_t())
        zmq_msg_init(message)
    }

    deinit {
        close()
        zmq_msg_close(message)
        message.deallocate()
    }

    /// Closes the socket; what is still to be sent has its linger from now on.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        zmq_close(handle)
    }

    // MARK: Options

    func set(_ option: Int32, _ value: Int32) throws(MessagingError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw .lastZeroMQ("setting option \(option) to \(value)")
        }
    }

    func set(_ option: Int32, wide value: Int64) throws(MessagingError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int64>.size) == 0 else {
            throw .lastZeroMQ("setting option \(option) to \(value)")
        }
    }

    func set(_ option: Int32, bytes: [UInt8]) throws(MessagingError) {
        // The value may be a secret key and therefore stays out of the error.
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else {
            throw .lastZeroMQ("setting option \(option)")
        }
    }

    /// The endpoint as bound, with the port that the system chose.
    func lastEndpoint() throws(MessagingError) -> String {
        var text = [UInt8](repeating: 0, count: 1_024)
        var size = text.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else {
            throw .lastZeroMQ("reading the bound endpoint")
        }
        return String(decoding: text.prefix(size).prefix { $0 != 0 }, as: UTF8.self)
    }

    func bind(_ endpoint: String) throws(MessagingError) {
        guard zmq_bind(handle, endpoint) == 0 else {
            throw .lastZeroMQ("binding", endpoint: endpoint)
        }
    }

    func connect(_ endpoint: String) throws(MessagingError) {
        guard zmq_connect(handle, endpoint) == 0 else {
            throw .lastZeroMQ("connecting to", endpoint: endpoint)
        }
    }

    // MARK: Frames

    /// Takes the next frame off the socket; false when none is waiting.
    func nextFrame() -> Bool {
        while true {
            if zmq_msg_recv(message, handle, ZMQ_DONTWAIT) >= 0 { return true }
            guard zmq_errno() == EINTR else { return false }
        }
    }

    /// The bytes of the frame taken last; they stay valid until the next is taken.
    var frame: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message))
    }

    /// Whose message the frame taken last belongs to: the user id that our ZAP handler gave, the
    /// key in Z85; valid until the next frame is taken.
    var frameUser: UnsafePointer<CChar>? { zmq_msg_gets(message, "User-Id") }

    /// Whether the frame taken last is followed by another of the same message.
    var isFollowed: Bool { zmq_msg_more(message) != 0 }

    /// Leaves out what remains of the message whose frame was taken last.
    func skipMessage() {
        while isFollowed && nextFrame() {}
    }

    /// Takes a whole message of up to `framesMax` frames; nil when none waits, empty when it has
    /// more frames than that.
    func nextMessage(framesMax: Int) -> [[UInt8]]? {
        guard nextFrame() else { return nil }
        var frames = [[UInt8](frame)]
        while isFollowed && frames.count < framesMax && nextFrame() {
            frames.append([UInt8](frame))
        }
        guard isFollowed else { return frames }
        skipMessage()
        return []
    }

    /// Sends one frame. A copy is made, so the bytes are the caller's again on return.
    func send(_ bytes: [UInt8], isFollowed: Bool = false) -> SendOutcome {
        let flags = isFollowed ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        while true {
            if zmq_send(handle, bytes, bytes.count, flags) >= 0 { return .sent }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .unreachable
            }
        }
    }
}
