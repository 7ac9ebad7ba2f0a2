/// A NumPy `.npz` file: several arrays with names.
public struct NPZFile: Sendable {
    /// In the file's order, without `.npy`.
    public let arrays: [(name: String, array: StoredArray)]

    /// A file of these arrays.
    public init(_ arrays: [(name: String, array: StoredArray)]) { self.arrays = arrays }

    /// Decodes a file's bytes; `file` is what errors call it.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        let archive = try ZIPFile(decoding: bytes, file: file)
        var arrays: [(name: String, array: StoredArray)] = []
        for name in archive.names {
            guard name.hasSuffix(".npy"), !name.contains("/"), let member = archive[name] else {
                throw .malformed(
                    file: file, offset: 0, expected: "members called NAME.npy", found: name)
            }
            let array = try NPYFile(decoding: member, file: "\(file): \(name)").array
            arrays.append((String(name.dropLast(4)), array))
        }
        self.arrays = arrays
    }

    /// The file's bytes.
    public func encoded() -> [UInt8] {
        ZIPFile.encoded(arrays.map { ("\($0.name).npy", NPYFile($0.array).encoded()) })
    }
}
