/// Float memory that a kernel may read and write, 64-byte aligned.
///
/// Tensors are handles: copying one copies the handle, not the numbers. A network, its executor
/// and every tensor in it belong to one thread.
public struct Tensor {
    /// The memory, shared by all views of it.
    let storage: TensorStorage
    /// Where in the storage this view starts.
    let start: Int
    /// How many floats this view covers.
    public let count: Int

    init(storage: TensorStorage, start: Int = 0, count: Int) {
        precondition(
            start >= 0 && count >= 0 && start + count <= storage.capacity,
            "\(count) floats from \(start) do not fit \(storage.capacity)")
        self.storage = storage
        self.start = start
        self.count = count
    }

    /// A tensor of `count` zeros of its own.
    public init(zeros count: Int) {
        self.init(storage: TensorStorage(capacity: max(1, count)), count: count)
    }

    /// A tensor holding a copy of `values`.
    public init(_ values: [Float]) {
        self.init(zeros: values.count)
        copy(from: values)
    }

    /// The numbers, copied out.
    public var values: [Float] {
        Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    /// Overwrites the numbers. `values.count` must be `count`.
    public func copy(from values: [Float]) {
        precondition(values.count == count, "\(values.count) numbers for \(count) places")
        values.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            pointer.update(from: base, count: count)
        }
    }

    /// Overwrites the numbers with those of `other`, which has the same count.
    public func copy(from other: Tensor) {
        precondition(other.count == count, "\(other.count) numbers for \(count) places")
        pointer.update(from: other.pointer, count: count)
    }

    /// The same memory, its first `count` floats.
    func prefix(_ count: Int) -> Tensor { Tensor(storage: storage, start: start, count: count) }

    /// The first `count` floats of the whole memory.
    func prefixOfStorage(_ count: Int) -> Tensor { Tensor(storage: storage, count: count) }

    /// The same memory without its first `count` floats.
    func dropping(_ dropped: Int) -> Tensor {
        Tensor(storage: storage, start: start + dropped, count: count - dropped)
    }

    /// One number of the tensor.
    public subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "\(index) lies outside 0..<\(count)")
            return pointer[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "\(index) lies outside 0..<\(count)")
            pointer[index] = newValue
        }
    }

    /// For `Kernels/` and nobody else.
    var pointer: UnsafeMutablePointer<Float> { storage.pointer + start }
}

/// Owns aligned memory for as long as a tensor refers to it.
final class TensorStorage {
    let pointer: UnsafeMutablePointer<Float>
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        // A kernel may read a whole vector that begins within the numbers.
        let margin = 16
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: (capacity + margin) * MemoryLayout<Float>.stride, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: capacity)
        pointer.initialize(repeating: 0, count: capacity)
    }

    deinit {
        UnsafeMutableRawPointer(pointer).deallocate()
    }
}

/// What one image becomes at a place in a network, and how a batch of it lies in memory.
public enum SampleShape: Hashable, Sendable, CustomStringConvertible {
    /// Planes. A batch lies channel-major, `[channels][images][height][width]`, so that the
    /// convolution of a whole batch is one matrix product.
    case image(channels: Int, height: Int, width: Int)
    /// Rows (tokens; one for a plain vector). A batch lies `[images][rows][columns]`.
    case rows(Int, columns: Int)

    /// Floats an image.
    public var elements: Int {
        switch self {
        case .image(let channels, let height, let width): channels * height * width
        case .rows(let rows, let columns): rows * columns
        }
    }

    public var description: String {
        switch self {
        case .image(let channels, let height, let width): "\(channels)x\(height)x\(width)"
        case .rows(let rows, let columns): "\(rows)x\(columns)"
        }
    }
}
