/// One drawn scene: a room or an open floor, a camera, a focal object and up to three distractors.
///
/// Lengths are in metres, y points up, the floor is y = 0. What is public is geometry, so that
/// anyone can check the maps that the renderer makes of it.
public struct RoomsScene: Sendable {
    /// The camera: where it is, and its orthonormal axes.
    public struct Camera: Hashable, Sendable {
        public internal(set) var eye: [Float]
        public internal(set) var forward: [Float]
        public internal(set) var right: [Float]
        public internal(set) var up: [Float]
        /// Tangent of half the field of view.
        public internal(set) var tangent: Float
    }

    /// What an object is and where it stands.
    public struct Object: Sendable {
        public enum Shape: Int, Hashable, Sendable, CaseIterable {
            case sphere, box, cylinder, cone, arch
        }

        public let shape: Shape
        /// Where it stands on the floor.
        public let x: Float
        public let z: Float
        /// Of the yaw about the vertical axis.
        public let sine: Float
        public let cosine: Float
        /// Sphere: radius. Box: half-extents. Cylinder, cone: radius, height. Arch: half-extents.
        public let sizes: [Float]
        /// The boxes that boxes and arches are made of, in the object's frame.
        public internal(set) var boxes: [Box] = []

        /// How large it is beside others of its shape.
        var scale: Float = 1
        var material = RoomsMaterial()
        /// The ball that holds the object: its centre's height, and its radius.
        var ballHeight: Float = 0
        var ballRadius: Float = 0
    }

    /// A box with axes along those of its frame.
    public struct Box: Hashable, Sendable {
        public let centre: [Float]
        public let halves: [Float]
    }

    public internal(set) var classIndex: Int
    public internal(set) var isOpen: Bool
    /// Side walls stand at ± this.
    public internal(set) var halfWidth: Float
    public internal(set) var backWall: Float
    public internal(set) var height: Float
    public internal(set) var camera: Camera
    /// The focal object first.
    public internal(set) var objects: [Object]
    /// How often the scene was drawn again because its focal object was hardly seen.
    public internal(set) var redrawCount = 0

    /// Floor, left, right and back wall, ceiling.
    var surfaces: [RoomsMaterial]
    var light: RoomsLight
    /// The stream behind the scene's own draws, for the sensor's noise.
    var random: RandomStream

    /// Beyond this distance an open floor is sky.
    public static let horizon: Float = 15
}

/// How a surface is colored: two colors in a pattern, and value noise over it.
struct RoomsMaterial: Sendable {
    enum Pattern: Int, Sendable {
        case stripes, checks, plain
    }

    var pattern = Pattern.plain
    var first = Vector3(0, 0, 0)
    var second = Vector3(0, 0, 0)
    /// Directions that the pattern is counted along, each as long as its cells in a metre.
    var axes = (Vector3(0, 0, 0), Vector3(0, 0, 0), Vector3(0, 0, 0))
    var noiseSeed: UInt32 = 0
}

/// The lamp far away, and the sky.
struct RoomsLight: Sendable {
    /// Towards the light.
    var direction: Vector3
    var ambient: Float
    var diffuse: Float
    var tint: Vector3
    var skyLow: Vector3
    var skyHigh: Vector3
}
