/// A decoded IDX file of unsigned bytes, the format of MNIST and its kin.
///
/// Two zero bytes, a type code, the rank, one big-endian 32-bit size per axis, then the values
/// row by row. The sizes are trusted only after they are checked against the bytes that follow.
public struct IDXFile: Sendable {
    /// The length of each axis, the slowest first.
    public let sizes: [Int]
    /// The whole file, inflated.
    public let contents: [UInt8]
    /// Where the values begin in `contents`.
    public let headerBytes: Int

    /// The values, row by row.
    public var values: ArraySlice<UInt8> { contents[headerBytes...] }

    /// Most elements that a file may declare.
    static let elementsMax = 1 << 31

    /// Reads the file at `path`, plain or gzip, which must hold unsigned bytes of this rank.
    public init(path: String, rank: Int) throws(DataError) {
        try self.init(decoding: try DataFile.contents(path: path), file: path, rank: rank)
    }

    /// Decodes `contents`, already inflated; `file` is what errors call it.
    public init(decoding contents: [UInt8], file: String, rank: Int) throws(DataError) {
        headerBytes = 4 + 4 * rank
        try IDXFile.checkMagic(of: contents, file: file, rank: rank)
        guard contents.count >= headerBytes else {
            throw .malformed(
                file: file, offset: contents.count, expected: "a header of \(headerBytes) bytes",
                found: "the end of the file")
        }
        var sizes: [Int] = []
        var elements = 1
        for axis in 0..<rank {
            let offset = 4 + 4 * axis
            let size = contents[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
            let (product, overflows) = elements.multipliedReportingOverflow(by: size)
            guard size > 0, !overflows, product <= IDXFile.elementsMax else {
                throw .malformed(
                    file: file, offset: offset,
                    expected: "a size above 0, and at most \(IDXFile.elementsMax) elements in all",
                    found: "size \(size)")
            }
            elements = product
            sizes.append(size)
        }
        guard contents.count - headerBytes == elements else {
            throw .malformed(
                file: file, offset: min(contents.count, headerBytes + elements),
                expected: "\(elements) bytes of values after the header",
                found: "\(contents.count - headerBytes)")
        }
        self.sizes = sizes
        self.contents = contents
    }

    private static func checkMagic(
        of contents: [UInt8], file: String, rank: Int
    ) throws(DataError) {
        let magic: [UInt8] = [0, 0, 0x08, UInt8(rank)]
        let names = ["zero", "zero", "type 8, unsigned bytes,", "rank \(rank)"]
        for (offset, expected) in magic.enumerated() {
            guard offset < contents.count else {
                throw .malformed(
                    file: file, offset: offset, expected: "the first four bytes of an IDX file",
                    found: "the end of the file")
            }
            guard contents[offset] == expected else {
                throw .malformed(
                    file: file, offset: offset, expected: "\(names[offset]) in the magic number",
                    found: "\(contents[offset])")
            }
        }
    }
}
