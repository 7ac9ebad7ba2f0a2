import CZeroMQ
import Glibc

/// Whom the kernel lets through to a listening port, before ZeroMQ hears of them.
///
/// ZeroMQ can stop listening only by ending all connections that came in through that port
/// (`zmq_unbind`). A filter on the listening socket drops the packets of those who would come in and
/// touches nobody who is in: a caller who is dropped tries again after a second or so.
struct PortFilter: Equatable {
    /// Whether those get through whose address is not named here.
    var admitsStrangers = true
    /// Who gets through although strangers do not.
    var spared: [NetworkAddress] = []
    /// Who does not get through although others do.
    var barred: [NetworkAddress] = []

    /// How many addresses of each kind a filter names: the system bounds its length.
    static let sparedMax = 512
    static let barredMax = 128

    /// Everybody gets through.
    static let open = PortFilter()

    /// Whether somebody is kept out who gets through with the other.
    func isTighter(than other: PortFilter) -> Bool {
        (other.admitsStrangers && !admitsStrangers)
            || !Set(barred).subtracting(other.barred).isEmpty
    }

    /// Puts it in the place of the filter that the listening socket has.
    ///
    /// - Returns: False when the system does not take it; the former one stays.
    @discardableResult
    func apply(to descriptor: Int32) -> Bool {
        if self == .open {
            // The value is not looked at, but there has to be one.
            var nothing: Int32 = 0
            let size = socklen_t(MemoryLayout<Int32>.size)
            return setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &nothing, size) == 0
                || errno == ENOENT
        }
        var instructions = program
        return instructions.withUnsafeMutableBufferPointer { buffer in
            var program = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
            let size = socklen_t(MemoryLayout<sock_fprog>.size)
            return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, size) == 0
        }
    }

    // MARK: The program

    /// In the instructions of classic BPF: who called, and is the address among those named?
    private var program: [sock_filter] {
        let short = rules(words: 1)
        let isVersion4 = Self.step(BPF_JMP | BPF_JEQ | BPF_K, 4, then: 1)
        return [Self.load(BPF_B, offset: 0), Self.step(BPF_ALU | BPF_RSH | BPF_K, 4), isVersion4]
            + [Self.step(BPF_JMP | BPF_JA, UInt32(short.count))] + short + rules(words: 2)
    }

    /// The rules for addresses of so many words, and what holds for all others.
    private func rules(words: Int) -> [sock_filter] {
        let named =
            barred.prefix(Self.barredMax).map { ($0, false) }
            + spared.prefix(Self.sparedMax).map { ($0, true) }
        // Where the sender's address begins in the packet's header.
        let begin: Int32 = words == 1 ? 12 : 8
        var steps: [sock_filter] = []
        for (address, isAdmitted) in named where address.words.count == words {
            for (index, word) in address.words.enumerated() {
                steps.append(Self.load(BPF_W, offset: begin + 4 * Int32(index)))
                // Another address: on to the next rule.
                let rest = UInt8(2 * (words - index - 1) + 1)
                steps.append(Self.step(BPF_JMP | BPF_JEQ | BPF_K, word, otherwise: rest))
            }
            steps.append(Self.answer(isAdmitted))
        }
        return steps + [Self.answer(admitsStrangers)]
    }

    /// How much of the packet is kept: all of it or nothing.
    private static func answer(_ isAdmitted: Bool) -> sock_filter {
        step(BPF_RET | BPF_K, isAdmitted ? .max : 0)
    }

    private static func load(_ size: Int32, offset: Int32) -> sock_filter {
        step(BPF_LD | size | BPF_ABS, UInt32(bitPattern: SKF_NET_OFF + offset))
    }

    private static func step(
        _ code: Int32, _ operand: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0
    ) -> sock_filter {
        sock_filter(code: UInt16(code), jt: then, jf: otherwise, k: operand)
    }
}
