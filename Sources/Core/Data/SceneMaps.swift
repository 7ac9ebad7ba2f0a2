/// What is known of every pixel of some images, beside their colors: the ground truth that dense
/// tasks learn from. Planes have the images' size, row 0 at the top.
public struct SceneMaps: Sendable {
    public let count: Int
    public let height: Int
    public let width: Int
    /// `[count][height][width]`: 1 where there is a surface, 0 in the sky.
    public var valid: [UInt8]
    /// Class of the surface; of rooms 0..<8: sky, floor, wall, sphere, box, cylinder, cone, arch.
    /// 255 where it is not known.
    public var semantic: [UInt8]
    /// 0 background, 1 focal object, from 2 distractors.
    public var instance: [UInt8]
    /// Surfaces numbered by first appearance; only whether two are equal has a meaning. 255 where
    /// it is not known.
    public var segments: [UInt8]
    /// Distance from the eye in metres; 0 in the sky.
    public var depth: [Float]
    /// Distance along the camera's axis in metres; 0 in the sky.
    public var depthAlongAxis: [Float]
    /// `[count][3][height][width]`: unit vectors, x right, y up, z to the viewer; 0 in the sky.
    public var normals: [Float]
    /// The scene under a lamp at the camera, in -1...1.
    public var reshading: [Float]
    /// `[count][2][height][width]`: principal curvatures in 1/m, the larger first.
    public var curvatures: [Float]
    /// The sharpest bend that `curvatures` tell, as a radius in metres.
    public var smallestRadius: Float = 0.15
    /// `valid` for depth alone, where a set has it apart.
    public var depthValid: [UInt8]?
    /// `valid` for normals alone, where a set has it apart.
    public var normalValid: [UInt8]?
    /// Strength of edges in -1...1, where the set ships it; otherwise pixels tell.
    public var edges: [Float]?
    /// Strength of keypoints likewise.
    public var keypoints: [Float]?

    /// `[count][classes]`: how likely each class of an image is, where the set tells more than one.
    public var classShares: [Float]?
    /// How much a pixel of each semantic class counts in weighed losses, where the set tells.
    public var semanticWeights: [Float]?

    /// Maps of `count` images, all zero.
    public init(count: Int, height: Int, width: Int) {
        self.count = count
        self.height = height
        self.width = width
        let pixels = count * height * width
        valid = [UInt8](repeating: 0, count: pixels)
        semantic = valid
        instance = valid
        segments = valid
        depth = [Float](repeating: 0, count: pixels)
        depthAlongAxis = depth
        reshading = depth
        normals = [Float](repeating: 0, count: 3 * pixels)
        curvatures = [Float](repeating: 0, count: 2 * pixels)
    }

    /// How many classes `semantic` has.
    public static let semanticClasses = 8
}
