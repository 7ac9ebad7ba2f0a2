/// The weights of a network trained elsewhere, under the names of common PyTorch code.
///
/// A network of ours names its parameters as that code does (`conv1.weight`,
/// `layer1.0.bn1.running_mean`). Beyond that are accepted: `module.` before every name (data
/// parallel training), `fc` for `linear` and `downsample` for `shortcut` (torchvision). Counters
/// of batches and the state of an optimizer are passed over; any other array that the network
/// does not have is refused, since it speaks of another network.
public struct ImportedCheckpoint {
    private let file: SafetensorsFile
    private let path: String

    /// Reads the file at `path`.
    public init(path: String) throws(CheckpointError) {
        self.init(file: try SafetensorsFile(path: path), path: path)
    }

    /// - Parameter path: What errors call the file.
    public init(file: SafetensorsFile, path: String) {
        self.file = file
        self.path = path
    }

    /// The parameters of `network`, every one of them from the file.
    public func parameters(of network: Network) throws(ImportError) -> ParameterSet {
        let parameters = ParameterSet(network: network)
        try fill(parameters, of: network, part: .network)
        return parameters
    }

    /// Writes the file's numbers into a network's parameters.
    ///
    /// Of a backbone alone, arrays that it does not have are passed over: they are other heads'.
    public func fill(
        _ parameters: ParameterSet, of network: Network, part: TrainingStart.Part
    ) throws(ImportError) {
        let shared = network.sharedParameters
        let wanted = parameters.specs.indices.filter { part == .network || shared.contains($0) }
        let names = Set(wanted.map { parameters.specs[$0].name })
        let sources = try sources(names, passesOver: part == .backbone)
        for index in wanted {
            let (spec, tensor) = (parameters.specs[index], parameters.tensors[index])
            guard let source = sources[spec.name], let array = file[source] else {
                throw .missing(
                    file: path, name: spec.name, shape: spec.shape, present: file.names.count)
            }
            guard array.shape == spec.shape else {
                throw .misshapen(
                    file: path, name: source, found: array.shape, expected: spec.shape)
            }
            tensor.copy(from: try numbers(array, source))
        }
    }

    /// The arrays' names, by the names that the network has for them.
    private func sources(
        _ known: Set<String>, passesOver: Bool
    ) throws(ImportError) -> [String: String] {
        var sources: [String: String] = [:]
        for name in file.names where !isPassedOver(name) {
            let spellings = ImportedCheckpoint.spellings(name)
            guard let own = spellings.first(where: { known.contains($0) }) else {
                if passesOver { continue }
                throw .unknown(file: path, name: name)
            }
            if let other = sources[own] {
                throw .ambiguous(file: path, names: [other, name], parameter: own)
            }
            sources[own] = name
        }
        return sources
    }

    private func isPassedOver(_ name: String) -> Bool {
        name.hasSuffix("num_batches_tracked") || name.hasPrefix("optimizer.")
            || name.hasPrefix("weighting.")
    }

    /// A name without wrapping, as it is and as we spell it.
    private static func spellings(_ name: String) -> [String] {
        let bare = name.hasPrefix("module.") ? String(name.dropFirst("module.".count)) : name
        var parts = bare.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.first == "fc" { parts[0] = "linear" }
        parts = parts.map { $0 == "downsample" ? "shortcut" : $0 }
        return [bare, parts.joined(separator: ".")]
    }

    private func numbers(_ array: StoredArray, _ name: String) throws(ImportError) -> [Float] {
        switch array.values {
        case .float32(let values): return values
        case .float64(let values): return values.map { Float($0) }
        case .raw("BF16", let bytes):
            return halves(bytes).map { Float(bitPattern: UInt32($0) << 16) }
        case .raw("F16", let bytes):
            return halves(bytes).map { Float(Float16(bitPattern: $0)) }
        default:
            throw .notFloats(
                file: path, name: name, type: SafetensorsType.name(of: array.values))
        }
    }

    /// Little-endian numbers of two bytes.
    private func halves(_ bytes: [UInt8]) -> [UInt16] {
        stride(from: 0, to: bytes.count - 1, by: 2).map {
            UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
        }
    }
}

/// Why a checkpoint from elsewhere does not fit a network.
public enum ImportError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(file: String, name: String, shape: [Int], present: Int)
    case misshapen(file: String, name: String, found: [Int], expected: [Int])
    case unknown(file: String, name: String)
    case ambiguous(file: String, names: [String], parameter: String)
    case notFloats(file: String, name: String, type: String)

    public var description: String {
        switch self {
        case .missing(let file, let name, let shape, let present):
            "\(file) holds \(present) arrays but no \(name), which this network has with "
                + "shape \(shape); choose the model the file was made with"
        case .misshapen(let file, let name, let found, let expected):
            "\(file), array \(name): its shape is \(found), this network has \(expected); "
                + "choose the model, width and data set the file was made with"
        case .unknown(let file, let name):
            "\(file), array \(name): this network has nothing of that name; choose the model "
                + "the file was made with"
        case .ambiguous(let file, let names, let parameter):
            "\(file): \(names.joined(separator: " and ")) both stand for \(parameter)"
        case .notFloats(let file, let name, let type):
            "\(file), array \(name): its type is \(type); F32, F64, F16 and BF16 are read"
        }
    }
}
