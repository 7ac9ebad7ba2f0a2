import Glibc

/// Where a connection comes from, as far as a port tells callers apart: an address of IP version 4,
/// or the first half of one of version 6, since whoever has one of those has all that share it.
struct NetworkAddress: Hashable {
    /// One word of version 4, two of version 6, as numbers of this machine.
    let words: [UInt32]

    /// Reads an address as ZeroMQ writes it: in digits, with or without a zone.
    init?(_ text: String) {
        let digits = String(text.prefix { $0 != "%" })
        var short = in_addr()
        if inet_pton(AF_INET, digits, &short) == 1 {
            words = [UInt32(bigEndian: short.s_addr)]
            return
        }
        var long = in6_addr()
        guard inet_pton(AF_INET6, digits, &long) == 1 else { return nil }
        let all = withUnsafeBytes(of: &long) { bytes in
            stride(from: 0, to: 16, by: 4).map {
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
        // A caller of version 4 at a port of version 6; its packets are of version 4.
        words = all[0] == 0 && all[1] == 0 && all[2] == 0xffff ? [all[3]] : [all[0], all[1]]
    }
}
