/// Draws one scene after the other from an image's own stream. What is drawn, and in which order,
/// is in `docs/data.md`; trigonometry is done in `Double` and rounded once.
struct RoomsBuilder {
    let settings: RoomsSettings
    let knobs: RoomsKnobs
    var random: RandomStream

    /// The stream of image `index` of a split.
    init(_ settings: RoomsSettings, split: RoomsSettings.Split, index: Int) {
        self.settings = settings
        knobs = settings.knobs
        let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
        let start = RandomStream.mixed(settings.seed &+ UInt64(split.rawValue) &* increment)
        random = RandomStream(
            state: RandomStream.mixed(start &+ UInt64(index) &* 0xD134_2543_DE82_EF95))
    }

    // MARK: Draws

    mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * Double(random.uniform())
    }

    mutating func choice(_ count: Int) -> Int {
        min(count - 1, Int(Double(count) * Double(random.uniform())))
    }

    private mutating func normal() -> Double { random.exactNormal() }

    func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
        ExactMath.sineAndCosine(turns: degrees / 360)
    }

    // MARK: The scene

    /// Draws the next scene of this stream for an image of the class.
    mutating func scene(class index: Int) -> RoomsScene {
        let isOpen = uniform(0, 1) < knobs.openProbability
        let halfWidth = uniform(2.4, 3.4)
        let backWall = uniform(1.8, 3.0)
        let height = uniform(2.6, 3.6)
        let shape = RoomsScene.Object.Shape(rawValue: index / 2) ?? .sphere
        var view = View(
            distance: uniform(2.6, 3.3), pitch: uniform(knobs.pitch.0, knobs.pitch.1),
            azimuth: uniform(-knobs.azimuth, knobs.azimuth))
        let size = uniform(0.85, 1.1)
        let place = (x: uniform(-0.3, 0.3), z: uniform(-0.3, 0.3))
        let yaw = shape == .arch ? uniform(-50, 50) - view.azimuth : uniform(0, 360)
        view.offset = [normal(), normal(), normal()].map { 0.1 * $0 }
        view.field = uniform(46, 60)
        view.tilt = knobs.tilt > 0 ? uniform(-knobs.tilt, knobs.tilt) : 0
        let focal = object(shape, size: size, x: place.x, z: place.z, yaw: yaw)
        let camera = camera(view, around: focal)
        let walls = Walls(
            halfWidth: max(halfWidth, abs(Double(camera.eye[0])) + 0.2), backWall: backWall)
        var objects = [focal]
        addDistractors(to: &objects, camera: camera, walls: walls, focalSize: size)
        color(&objects, class: index)
        let surfaces = (0..<5).map { _ in roomSurface() }
        let light = light()
        return RoomsScene(
            classIndex: index, isOpen: isOpen, halfWidth: Float(walls.halfWidth),
            backWall: Float(backWall), height: Float(max(height, Double(camera.eye[1]) + 0.2)),
            camera: camera, objects: objects, surfaces: surfaces, light: light, random: random)
    }

    private struct View {
        var distance: Double
        var pitch: Double
        var azimuth: Double
        var offset: [Double] = []
        var field = 0.0
        var tilt = 0.0
    }

    private struct Walls {
        var halfWidth: Double
        var backWall: Double
    }

    private func camera(
        _ view: View, around focal: RoomsScene.Object
    ) -> RoomsScene.Camera {
        let (sinePitch, cosinePitch) = sineAndCosine(degrees: view.pitch)
        let (sineAzimuth, cosineAzimuth) = sineAndCosine(degrees: view.azimuth)
        let focus = [Double(focal.x), Double(focal.ballHeight), Double(focal.z)]
        let target = zip(focus, view.offset).map { $0 + $1 }
        let back = [sineAzimuth * cosinePitch, sinePitch, -cosineAzimuth * cosinePitch]
        // forward = -back, a unit vector; right = up x forward, made to one of length 1.
        let forward = back.map { -$0 }
        let flat = (forward[0] * forward[0] + forward[2] * forward[2]).squareRoot()
        let level = [forward[2] / flat, 0, -forward[0] / flat]
        let above = [
            forward[1] * level[2] - forward[2] * level[1],
            forward[2] * level[0] - forward[0] * level[2],
            forward[0] * level[1] - forward[1] * level[0],
        ]
        let (sineTilt, cosineTilt) = sineAndCosine(degrees: view.tilt)
        let (sineField, cosineField) = sineAndCosine(degrees: view.field / 2)
        return RoomsScene.Camera(
            eye: (0..<3).map { Float(target[$0] + view.distance * back[$0]) },
            forward: forward.map { Float($0) },
            right: (0..<3).map { Float(level[$0] * cosineTilt + above[$0] * sineTilt) },
            up: (0..<3).map { Float(above[$0] * cosineTilt - level[$0] * sineTilt) },
            tangent: Float(sineField / cosineField))
    }

    // MARK: Objects

    private mutating func object(
        _ shape: RoomsScene.Object.Shape, size: Double, x: Double, z: Double, yaw: Double
    ) -> RoomsScene.Object {
        var sizes: [Double]
        switch shape {
        case .sphere: sizes = [0.72]
        case .box: sizes = [uniform(0.5, 0.72), uniform(0.5, 0.72), uniform(0.5, 0.72)]
        case .cylinder: sizes = [uniform(0.45, 0.58), uniform(1.2, 1.6)]
        case .cone: sizes = [uniform(0.62, 0.8), uniform(1.35, 1.75)]
        case .arch: sizes = [uniform(0.72, 0.86), uniform(0.58, 0.7), uniform(0.22, 0.32)]
        }
        sizes = sizes.map { $0 * size }
        let (sine, cosine) = sineAndCosine(degrees: yaw)
        var object = RoomsScene.Object(
            shape: shape, x: Float(x), z: Float(z), sine: Float(sine), cosine: Float(cosine),
            sizes: sizes.map { Float($0) })
        object.scale = Float(size)
        object.boxes = RoomsBuilder.boxes(shape, sizes, size)
        let ball = RoomsBuilder.ball(shape, sizes)
        object.ballHeight = Float(ball.height)
        object.ballRadius = Float(ball.radius + 1e-3)
        return object
    }

    private static func boxes(
        _ shape: RoomsScene.Object.Shape, _ sizes: [Double], _ scale: Double
    ) -> [RoomsScene.Box] {
        func box(_ centre: [Double], _ halves: [Double]) -> RoomsScene.Box {
            RoomsScene.Box(centre: centre.map { Float($0) }, halves: halves.map { Float($0) })
        }
        switch shape {
        case .box: return [box([0, sizes[1], 0], sizes)]
        case .arch:
            let lintel = 0.21 * scale
            let post = 0.22 * scale
            let postHalf = sizes[1] - lintel
            let side = sizes[0] - post
            return [
                box([0, 2 * sizes[1] - lintel, 0], [sizes[0], lintel, sizes[2]]),
                box([-side, postHalf, 0], [post, postHalf, sizes[2]]),
                box([side, postHalf, 0], [post, postHalf, sizes[2]]),
            ]
        case .sphere, .cylinder, .cone: return []
        }
    }

    /// The centre's height and the radius of a ball that holds the object.
    private static func ball(
        _ shape: RoomsScene.Object.Shape, _ sizes: [Double]
    ) -> (height: Double, radius: Double) {
        switch shape {
        case .sphere: (sizes[0], sizes[0])
        case .box, .arch:
            (sizes[1], sizes.reduce(0) { $0 + $1 * $1 }.squareRoot())
        case .cylinder, .cone:
            (sizes[1] / 2, (sizes[0] * sizes[0] + sizes[1] * sizes[1] / 4).squareRoot())
        }
    }

    /// The radius of a circle on the floor that holds the object.
    private static func circle(_ object: RoomsScene.Object) -> Double {
        switch object.shape {
        case .sphere, .cylinder, .cone: return Double(object.sizes[0])
        case .box, .arch:
            let (x, z) = (Double(object.sizes[0]), Double(object.sizes[2]))
            return (x * x + z * z).squareRoot()
        }
    }

    private mutating func addDistractors(
        to objects: inout [RoomsScene.Object], camera: RoomsScene.Camera, walls: Walls,
        focalSize: Double
    ) {
        let draw = uniform(0, 1)
        var count = 0
        var passed = 0.0
        for share in knobs.distractorShares {
            passed += share
            if draw < passed { break }
            count += 1
        }
        for _ in 0..<min(count, knobs.distractorShares.count - 1) {
            for _ in 0..<8 {
                let candidate = distractor(beside: objects[0], focalSize: focalSize)
                if fits(candidate, among: objects, camera: camera, walls: walls) {
                    objects.append(candidate)
                    break
                }
            }
        }
    }

    private mutating func distractor(
        beside focal: RoomsScene.Object, focalSize: Double
    ) -> RoomsScene.Object {
        let radius = uniform(1.25, 2.1)
        let (sine, cosine) = sineAndCosine(degrees: uniform(0, 360))
        let shape = RoomsScene.Object.Shape(rawValue: choice(5)) ?? .sphere
        let pattern = RoomsMaterial.Pattern(rawValue: choice(2)) ?? .stripes
        let size = focalSize * uniform(knobs.distractorSizes.0, knobs.distractorSizes.1)
        var drawn = object(
            shape, size: size, x: Double(focal.x) + radius * cosine,
            z: Double(focal.z) + radius * sine, yaw: uniform(0, 360))
        drawn.material.pattern = pattern
        return drawn
    }

    private func fits(
        _ candidate: RoomsScene.Object, among objects: [RoomsScene.Object],
        camera: RoomsScene.Camera, walls: Walls
    ) -> Bool {
        let own = Projection(candidate, camera, radius: RoomsBuilder.circle(candidate))
        let focal = Projection(objects[0], camera, radius: RoomsBuilder.circle(objects[0]))
        guard own.depth >= 1.2, abs(Double(candidate.x)) <= 0.92 * walls.halfWidth,
            Double(candidate.z) <= walls.backWall - 0.4
        else { return false }
        let apart = abs(own.side / own.depth - focal.side / focal.depth)
        let touching = own.radius / own.depth + 0.8 * focal.radius / focal.depth
        if own.depth < focal.depth, apart < touching { return false }
        return objects.allSatisfy { other in
            let x = Double(candidate.x - other.x)
            let z = Double(candidate.z - other.z)
            let reach = own.radius + RoomsBuilder.circle(other)
            return x * x + z * z >= 0.8 * reach * reach
        }
    }

    /// Where an object's centre stands in the camera's frame.
    private struct Projection {
        let depth: Double
        let side: Double
        let radius: Double

        init(_ object: RoomsScene.Object, _ camera: RoomsScene.Camera, radius: Double) {
            let way = [
                Double(object.x - camera.eye[0]), Double(object.ballHeight - camera.eye[1]),
                Double(object.z - camera.eye[2]),
            ]
            depth = (0..<3).reduce(0) { $0 + way[$1] * Double(camera.forward[$1]) }
            side = (0..<3).reduce(0) { $0 + way[$1] * Double(camera.right[$1]) }
            self.radius = radius
        }
    }
}
