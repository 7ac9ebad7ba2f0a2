import Foundation

/// Tells file systems on which SQLite's locks and shared memory cannot be trusted.
public enum NetworkFileSystem {
    private static let kinds: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "ocfs2",
        "gfs2", "pvfs2", "glusterfs", "panfs", "wekafs", "quobyte", "fuse.sshfs", "fuse.s3fs",
        "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.rclone", "fuse.gcsfuse",
        "fuse.goofys", "fuse.beegfs", "fuse.juicefs", "fuse.davfs",
    ]

    /// The network file system that `path` lies on, or `nil` for a local one.
    ///
    /// - Parameters:
    ///   - path: Absolute, without symbolic links.
    ///   - mounts: Lines as of `/proc/self/mounts`: device, folder, type, and more.
    public static func kind(holding path: String, mounts: String) -> String? {
        var best = (length: -1, type: "")
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let folder = fields[1].replacingOccurrences(of: "\\040", with: " ")
            let inside = path == folder || path.hasPrefix(folder == "/" ? "/" : folder + "/")
            // Of two mounts on one folder the later hides the earlier.
            if inside, folder.count >= best.length { best = (folder.count, String(fields[2])) }
        }
        return kinds.contains(best.type) ? best.type : nil
    }

    /// The same for the machine's own mounts. Where there is no mount table nothing is refused.
    public static func holding(folder: String) -> String? {
        guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else {
            return nil
        }
        let resolved = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        return kind(holding: resolved, mounts: mounts)
    }
}
