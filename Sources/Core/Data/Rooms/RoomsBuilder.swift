/// Draws one scene after the other from an image's own stream. What is drawn, and in which order,
/// is in `docs/data.md`; trigonometry is done in `Double` and rounded once.
struct RoomsBuilder {
    let settings: RoomsSettings
    private let knobs: RoomsKnobs
    private var random: RandomStream

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

    private mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * Double(random.uniform())
    }

    private mutating func choice(_ count: Int) -> Int {
        min(count - 1, Int(Double(count) * Double(random.uniform())))
    }

    private mutating func normal() -> Double { random.exactNormal() }

    private func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
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

    // MARK: Appearance

    private mutating func color(_ objects: inout [RoomsScene.Object], class index: Int) {
        for place in objects.indices {
            if place == 0 {
                objects[0].material.pattern =
                    RoomsMaterial.Pattern(rawValue: index % 2) ?? .stripes
            }
            let (first, second) = colorPair()
            objects[place].material.first = first
            objects[place].material.second = second
            let period = uniform(0.46, 0.62) * Double(objects[place].scale)
            let cells = objects[place].material.pattern == .stripes ? 2.0 : 1.7
            objects[place].material.axes = frame(length: cells / period)
            objects[place].material.noiseSeed = noiseSeed()
        }
    }

    private mutating func noiseSeed() -> UInt32 { UInt32(truncatingIfNeeded: random.nextBits()) }

    private mutating func color() -> [Double] {
        let hue = 6 * uniform(0, 1)
        let saturation = uniform(0.25, 0.9)
        let value = uniform(0.35, 0.95)
        // The distance around the color circle from each of red, green and blue.
        return [0.0, 2, 4].map { primary in
            let apart = abs(hue - primary)
            let around = min(apart, 6 - apart)
            let share = min(max(2 - around, 0), 1)
            return value * (1 - saturation * (1 - share))
        }
    }

    private static func luma(_ color: [Double]) -> Double {
        0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    }

    private mutating func colorPair() -> (Vector3, Vector3) {
        var first = color()
        var second = color()
        var triesLeft = 63
        while abs(RoomsBuilder.luma(first) - RoomsBuilder.luma(second)) < knobs.lumaGap,
            triesLeft > 0
        {
            first = color()
            second = color()
            triesLeft -= 1
        }
        return (vector(first), vector(second))
    }

    private func vector(_ values: [Double]) -> Vector3 {
        Vector3(Float(values[0]), Float(values[1]), Float(values[2]))
    }

    /// A random rotation's three rows (Shoemake, 1992), made to a length.
    private mutating func frame(length: Double) -> (Vector3, Vector3, Vector3) {
        let share = uniform(0, 1)
        let first = ExactMath.sineAndCosine(turns: uniform(0, 1))
        let second = ExactMath.sineAndCosine(turns: uniform(0, 1))
        let low = (1 - share).squareRoot()
        let high = share.squareRoot()
        let (x, y) = (low * first.sine, low * first.cosine)
        let (z, w) = (high * second.sine, high * second.cosine)
        func row(_ a: Double, _ b: Double, _ c: Double) -> Vector3 {
            vector([length * a, length * b, length * c])
        }
        return (
            row(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            row(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            row(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y))
        )
    }

    private mutating func roomSurface() -> RoomsMaterial {
        let first = color()
        let factor = uniform(0.75, 1.25)
        let drawn = choice(3)
        let period = uniform(0.7, 1.4)
        let isTurned = choice(2) == 1
        var material = RoomsMaterial()
        material.first = vector(first)
        material.second = vector(first.map { min(1, $0 * factor) })
        material.pattern = [.plain, .stripes, .checks][knobs.hasRoomPatterns ? drawn : 0]
        let cells = Float(2 / period)
        // Patterns of rooms are counted in the plane's own two coordinates.
        let along = Vector3(isTurned ? 0 : cells, isTurned ? cells : 0, 0)
        let across = Vector3(isTurned ? cells : 0, isTurned ? 0 : cells, 0)
        material.axes = (along, across, Vector3(0, 0, 0))
        material.noiseSeed = noiseSeed()
        return material
    }

    private mutating func light() -> RoomsLight {
        let azimuth = sineAndCosine(degrees: uniform(0, 360))
        let elevation = sineAndCosine(degrees: uniform(35, 75))
        let ambient = uniform(0.28, 0.42)
        let diffuse = uniform(0.5, 0.8)
        let tint = [uniform(0.94, 1.06), uniform(0.94, 1.06), uniform(0.94, 1.06)]
        let low = color()
        let high = color()
        return RoomsLight(
            direction: vector([
                elevation.cosine * azimuth.sine, elevation.sine,
                -abs(elevation.cosine * azimuth.cosine),
            ]),
            ambient: Float(ambient), diffuse: Float(diffuse), tint: vector(tint),
            skyLow: vector(low), skyHigh: vector(high))
    }
}
