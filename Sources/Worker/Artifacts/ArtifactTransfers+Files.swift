import FathomCore
import FathomProtocol

// One file after the other: fetched, or brought.

extension ArtifactTransfers {
    // MARK: Fetching

    mutating func startDownload(_ reference: ArtifactReference, at now: Instant) {
        downloads[reference.digest] = Download(reference: reference, heard: now)
        ask(download: reference.digest, at: now)
    }

    /// Asks for what is missing, from where the file has come to.
    mutating func ask(download digest: Digest, at now: Instant) {
        guard var download = downloads[digest] else { return }
        download.heard = now
        download.rest = nil
        if download.isDoubting {
            effects.append(.ask(.doubt(digest)))
        } else if let partial = opened(&download) {
            download.requested = partial.count
            fillWindow(of: &download)
        } else {
            download.rest = now + 1
        }
        downloads[digest] = download
        // All of it may have come before a restart, or there is nothing in it.
        if download.partial?.isWhole == true, !download.isDoubting { finish(digest, at: now) }
    }

    private func opened(_ download: inout Download) -> PartialArtifact? {
        if download.partial == nil {
            let reference = download.reference
            access.cache?.makeRoom(for: reference.bytes)
            download.partial = try? PartialArtifact(
                reference.digest, total: reference.bytes, in: access.folder)
        }
        return download.partial
    }

    private mutating func fillWindow(of download: inout Download) {
        guard let partial = download.partial else { return }
        let end = min(partial.total, partial.count + ArtifactLimits.windowBytes)
        while download.requested < end {
            let bytes = min(ArtifactLimits.pieceBytes, partial.total - download.requested)
            effects.append(
                .ask(.fetch(partial.digest, offset: download.requested, bytes: bytes)))
            download.requested += bytes
        }
    }

    mutating func take(_ piece: ArtifactPiece, at now: Instant) {
        guard var download = downloads[piece.digest], !download.isDoubting,
            let partial = download.partial
        else { return }
        tally.bytesFetched += piece.content.count
        guard piece.total == partial.total else {
            doubt(piece.digest, at: now)
            return
        }
        // What was asked for twice comes twice.
        guard piece.offset == partial.count, !piece.content.isEmpty else { return }
        do throws(ArtifactError) {
            try append(piece.content, to: partial)
        } catch {
            download.rest = now + 1
            downloads[piece.digest] = download
            return
        }
        download.heard = now
        if !partial.isWhole { fillWindow(of: &download) }
        downloads[piece.digest] = download
        if partial.isWhole { finish(piece.digest, at: now) }
    }

    private func append(
        _ content: [UInt8], to partial: PartialArtifact
    ) throws(ArtifactError) {
        do throws(ArtifactError) {
            try partial.append(content)
        } catch {
            guard error.isPassing, let cache = access.cache,
                cache.makeRoom(for: partial.total - partial.count, isDiskFull: true)
            else { throw error }
            try partial.append(content)
        }
    }

    private mutating func finish(_ digest: Digest, at now: Instant) {
        guard let download = downloads[digest], let partial = download.partial else { return }
        let isRight: Bool
        do throws(ArtifactError) {
            isRight = try partial.finish(isDurable: false)
        } catch {
            downloads[digest]?.rest = now + 1
            return
        }
        guard isRight else {
            tally.filesDamaged += 1
            doubt(digest, at: now)
            return
        }
        downloads[digest] = nil
        tally.filesFetched += 1
        access.cache?.note(digest, bytes: partial.total)
        effects.append(.ready(digest))
    }

    /// What arrived is not what its digest says: the coordinator is to look at its own.
    private mutating func doubt(_ digest: Digest, at now: Instant) {
        guard var download = downloads[digest] else { return }
        download.partial?.restart()
        download.restarts += 1
        download.isDoubting = true
        download.heard = now
        downloads[digest] = download
        effects.append(.ask(.doubt(digest)))
    }

    /// The coordinator's copy is sound.
    mutating func fetchAgain(_ digest: Digest, at now: Instant) {
        guard let download = downloads[digest], download.restarts <= Self.restartsMax else {
            downloads[digest]?.partial?.abandon()
            downloads[digest] = nil
            effects.append(.gone(digest))
            return
        }
        downloads[digest]?.isDoubting = false
        ask(download: digest, at: now)
    }

    mutating func remind(download digest: Digest, at now: Instant) {
        guard let download = downloads[digest] else { return }
        if let rest = download.rest {
            if now >= rest { ask(download: digest, at: now) }
        } else if now.seconds(since: download.heard) >= Self.patienceSeconds {
            ask(download: digest, at: now)
        }
    }

    // MARK: Bringing

    mutating func startUpload(_ reference: ArtifactReference, at now: Instant) {
        uploads[reference.digest] = Upload(reference: reference, heard: now)
        offer(reference.digest, at: now)
    }

    mutating func offer(_ digest: Digest, at now: Instant) {
        guard var upload = uploads[digest] else { return }
        upload.heard = now
        upload.isWanted = false
        upload.rest = nil
        uploads[digest] = upload
        effects.append(.ask(.offer(digest, total: upload.reference.bytes)))
    }

    /// Sends what the coordinator has room for.
    mutating func send(_ digest: Digest, from offset: Int, credit: Int, at now: Instant) {
        guard var upload = uploads[digest], upload.rest == nil else { return }
        upload.heard = now
        if !upload.isWanted {
            upload.isWanted = true
            upload.sent = offset
        }
        let total = upload.reference.bytes
        let end = min(total, offset + credit)
        while upload.sent < end {
            let count = min(ArtifactLimits.pieceBytes, end - upload.sent)
            guard
                let (content, length) = access.folder.read(
                    digest, from: upload.sent, count: count),
                length == total, content.count == count
            else {
                giveUp(digest, reason: "it is not here whole any more")
                return
            }
            effects.append(
                .ask(
                    .piece(
                        ArtifactPiece(
                            digest: digest, offset: upload.sent, total: total, content: content))))
            upload.sent += count
            tally.bytesBrought += count
        }
        uploads[digest] = upload
    }

    mutating func uploadRefused(_ digest: Digest, _ reason: ArtifactRefusal, at now: Instant) {
        guard let upload = uploads[digest], upload.rest == nil else { return }
        switch reason {
        case .busy, .noRoom: uploads[digest]?.rest = now + Self.patienceSeconds
        case .tooLarge, .invalid:
            giveUp(digest, reason: "the coordinator does not take it (\(reason))")
        case .damaged:
            tally.filesDamaged += 1
            uploads[digest]?.restarts += 1
            guard upload.restarts < Self.restartsMax, access.folder.isSound(digest) else {
                giveUp(digest, reason: "its content is not what its digest says")
                return
            }
            offer(digest, at: now)
        }
    }

    private mutating func giveUp(_ digest: Digest, reason: String) {
        uploads[digest] = nil
        if !access.folder.isSound(digest) { access.cache?.drop(digest) }
        effects.append(.lost(digest, reason: reason))
    }

    mutating func remind(upload digest: Digest, at now: Instant) {
        guard let upload = uploads[digest] else { return }
        if let rest = upload.rest {
            if now >= rest { offer(digest, at: now) }
        } else if now.seconds(since: upload.heard) >= Self.patienceSeconds {
            offer(digest, at: now)
        }
    }
}
