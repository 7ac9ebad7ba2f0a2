/// Draws images of a set of rooms. Images are independent of each other, so that any range of
/// them can be drawn anywhere, with the same bytes.
///
/// Only + - * / and square roots in `Float` happen at a pixel, which IEEE 754 rounds one way only;
/// Swift neither reorders nor fuses them.
public struct RoomsRenderer: Sendable {
    public let settings: RoomsSettings

    public init(_ settings: RoomsSettings) { self.settings = settings }

    /// An image that is to be seen in fewer pixels (of 32x32) has its scene drawn again.
    static let focalPixelsMin = 40

    /// The classes of the images with these indices.
    public func label(_ index: Int) -> Int32 { Int32(index % RoomsSettings.classCount) }

    /// The scene of one image.
    public func scene(_ split: RoomsSettings.Split, _ index: Int) -> RoomsScene {
        var builder = RoomsBuilder(settings, split: split, index: index)
        var redrawCount = 0
        while true {
            var scene = builder.scene(class: Int(label(index)))
            scene.redrawCount = redrawCount
            let needed = RoomsRenderer.focalPixelsMin * settings.side * settings.side / 1024
            if RoomsPainter(scene, side: settings.side).focalPixelCount() >= needed {
                return scene
            }
            redrawCount += 1
        }
    }

    /// Draws the images with these indices.
    public func images(_ split: RoomsSettings.Split, _ indices: [Int]) -> ImageSet {
        let side = settings.side
        var pixels = [UInt8](repeating: 0, count: indices.count * 3 * side * side)
        for (position, index) in indices.enumerated() {
            RoomsPainter(scene(split, index), side: side).paint(
                position, into: &pixels, noise: settings.knobs.noiseLevels)
        }
        return ImageSet(
            channels: 3, height: side, width: side, classCount: RoomsSettings.classCount,
            pixels: pixels, labels: indices.map { label($0) }, indices: indices)
    }

    /// What is known of every pixel of the images with these indices.
    public func maps(_ split: RoomsSettings.Split, _ indices: [Int]) -> SceneMaps {
        var maps = SceneMaps(count: indices.count, height: settings.side, width: settings.side)
        for (position, index) in indices.enumerated() {
            RoomsPainter(scene(split, index), side: settings.side).survey(position, into: &maps)
        }
        return maps
    }
}
