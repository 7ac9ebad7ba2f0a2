import Foundation

/// Tells file systems on which SQLite's locks and shared memory cannot be trusted.
public enum NetworkFileSystem {
    /// Numbers that `statfs` gives, by the names people know (`man 2 statfs`).
    private static let kinds: [UInt32: String] = [
        0x6969: "nfs", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x517B: "smb",
        0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs", 0x1983_0326: "beegfs", 0x00C3_6400: "ceph",
        0x5346_414F: "afs", 0x7461_636F: "ocfs2",
    ]
    private static let fuse: UInt32 = 0x6573_5546
    private static let remoteFuse = [
        "sshfs", "s3fs", "glusterfs", "ceph", "rclone", "davfs", "gcsfuse", "goofys", "beegfs",
    ]

    /// The network file system's name, or `nil` for a local one.
    ///
    /// - Parameters:
    ///   - magic: `f_type` of `statfs`.
    ///   - mountType: The type in the mount table, which tells one FUSE file system from another.
    public static func name(magic: UInt32, mountType: String?) -> String? {
        if let kind = kinds[magic] { return kind }
        guard magic == fuse, let mountType else { return nil }
        return remoteFuse.contains { mountType == "fuse.\($0)" } ? mountType : nil
    }

    /// The name of the network file system that holds `folder`, or `nil`.
    static func holding(folder: String) -> String? {
        var facts = statfs()
        guard statfs(folder, &facts) == 0 else { return nil }
        let magic = UInt32(truncatingIfNeeded: facts.f_type)
        let table = magic == fuse ? try? String(contentsOfFile: mounts, encoding: .utf8) : nil
        return name(magic: magic, mountType: table.flatMap { mountType(of: folder, in: $0) })
    }

    private static let mounts = "/proc/self/mounts"

    /// The type of the mount with the longest folder that `path` lies in.
    static func mountType(of path: String, in table: String) -> String? {
        var best = (length: -1, type: String?.none)
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let folder = String(fields[1])
            let inside = path == folder || path.hasPrefix(folder == "/" ? "/" : folder + "/")
            if inside, folder.count > best.length { best = (folder.count, String(fields[2])) }
        }
        return best.type
    }
}
